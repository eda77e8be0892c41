import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server says to one request: a text with status 200, or all that it does. */
export type Said = string | ((request: IncomingMessage, response: ServerResponse) => void);

export type AnsweringServer = {
  readonly url: string;
  /** What was asked, as `path?query`, and the headers of it. */
  readonly asked: readonly { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** What is said next, one after the other; after that 500. */
  says(...said: readonly Said[]): void;
  close(): Promise<void>;
};

/** A server on this machine that says what it is told to. */
export async function openAnsweringServer(): Promise<AnsweringServer> {
  const asked: AnsweringServer['asked'][number][] = [];
  let left: Said[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers });
    const said = left.shift() ?? status(500);
    if (typeof said === 'string') response.end(said);
    else said(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/markets`,
    asked,
    says(...said) {
      asked.length = 0;
      left = [...said];
    },
    close: () => new Promise((closed) => server.close(() => closed()).closeAllConnections()),
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Said {
  return (_, response) => response.writeHead(code, headers).end('<html>hidden</html>');
}
