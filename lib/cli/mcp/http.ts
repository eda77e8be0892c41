import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  type McpServerFactory,
  originValidationResponse,
} from '@modelcontextprotocol/server';

const LOOPBACK = '127.0.0.1';

/** Answers over HTTP on this machine alone, to clients and pages of this machine alone; `port` 0 takes any that is free. */
export async function listenOnLoopback(factory: McpServerFactory, port: number): Promise<Server> {
  const handler = createMcpHandler(factory);
  const answer = async (request: Request): Promise<Response> =>
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins()) ??
    (await handler.fetch(request));
  const server = createHttpServer((from, to) => {
    exchange(from, to, answer).catch((cause: unknown) => to.destroy(cause instanceof Error ? cause : undefined));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  return server;
}

/** A request of Node's as the web's, and the answer back. */
async function exchange(
  from: IncomingMessage,
  to: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const method = from.method ?? 'GET';
  const headers = new Headers();
  for (const [name, value] of Object.entries(from.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const bodiless = method === 'GET' || method === 'HEAD';
  const body = bodiless ? {} : { body: Readable.toWeb(from), duplex: 'half' as const };
  const gone = new AbortController();
  to.once('close', () => gone.abort());
  const response = await answer(
    new Request(new URL(from.url ?? '/', `http://${LOOPBACK}`), { method, headers, signal: gone.signal, ...body }),
  );
  to.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) to.end();
  else await pipeline(Readable.fromWeb(response.body), to);
}
