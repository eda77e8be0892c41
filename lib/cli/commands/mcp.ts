import type { AddressInfo } from 'node:net';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { type Context, EXIT } from '../context.ts';
import { listenOnLoopback } from '../mcp/http.ts';
import { createServer } from '../mcp/server.ts';
import { openLakeAt } from '../open-lake.ts';

/** Serves until its client is gone, or, over HTTP, until it is asked to end. stdout is the protocol's. */
export async function mcp(context: Context, port: number | undefined): Promise<number> {
  const factory = () => createServer(() => openLakeAt(context, 'read'));
  await context.interruptible(async (interrupted) => {
    const asked = new Promise<void>((resolve) => interrupted.addEventListener('abort', () => resolve()));
    if (port === undefined) {
      const handle = serveStdio(factory);
      const gone = new Promise<void>((resolve) => process.stdin.once('close', resolve).once('end', resolve));
      await Promise.race([gone, asked]);
      await handle.close();
      return;
    }
    const server = await listenOnLoopback(factory, port);
    context.note(`serving ${context.lake} at http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
    await asked;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return EXIT.done;
}
