import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export type FolderServer = {
  /** `http://127.0.0.1:<port>`; the rest of a URL is the path of a file below the folder, as it is written there. */
  readonly url: string;
  close(): Promise<void>;
};

/** Serves a folder's files on loopback, whole or a range of bytes. */
export async function serveFolder(folder: string): Promise<FolderServer> {
  const server = createServer((request, response) => {
    answer(folder, request, response).catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((closed, failed) => {
        server.close((error) => (error === undefined ? closed() : failed(error)));
        server.closeAllConnections();
      }),
  };
}

async function answer(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Locations in table metadata are not encoded: a `%` in one is a `%` in the file's name, so nothing is unescaped.
  const file = await open(join(folder, request.url ?? '/'));
  try {
    const { size } = await file.stat();
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(first ?? 0);
    const end = last === undefined || last === '' ? size : Math.min(size, Number(last) + 1);
    const bytes = Buffer.alloc(end - start);
    await file.read(bytes, 0, bytes.length, start);
    const range = first === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${size}` };
    response.writeHead(first === undefined ? 200 : 206, { 'content-length': bytes.length, ...range });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  } finally {
    await file.close();
  }
}
