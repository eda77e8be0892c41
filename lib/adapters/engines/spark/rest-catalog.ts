import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { CommitConflict, InvalidInput } from '../../../core/errors.ts';
import type { ObjectStore } from '../../../ports.ts';

/** The namespace in which a Spark of this machine finds tables that it is shown. */
export const SHOWN = 'shown';

/** The text of the metadata after a commit that is asked for by the protocol; throws as `commitAsAsked` does. */
export type Commit = (metadata: Uint8Array, request: string, location: string) => string;

export type Tables = {
  readonly store: ObjectStore;
  /** Where the tables are that are shown, by their names: their metadata files lie in `metadata` there. */
  readonly known: ReadonlyMap<string, string>;
  readonly commit: Commit;
};

export type Answer = { readonly status: number; readonly body: string };

/**
 * Answers what a Spark asks of Iceberg's REST catalog that reads tables and adds snapshots to them. There are no other tables than those
 * that are shown, and nothing else of them can be changed.
 * Source: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
 */
export async function answerRest(tables: Tables, method: string, path: string, body: string): Promise<Answer> {
  if (path === '/v1/config') return { status: 200, body: '{"defaults":{},"overrides":{}}' };
  const [, name = ''] = new RegExp(`^/v1/namespaces/${SHOWN}/tables/(\\w+)$`).exec(path) ?? [];
  const folder = tables.known.get(name);
  if (folder === undefined) return refusal(404, 'NoSuchTableException', `there is no ${path}`);
  switch (method) {
    case 'HEAD':
      return { status: 204, body: '' };
    case 'GET':
      return load(tables.store, await newestMetadata(tables.store, folder));
    case 'POST':
      return commitTo(tables, folder, body);
    default:
      return refusal(405, 'UnsupportedOperationException', `${method} is none of a table's that is shown`);
  }
}

/** The key of the metadata file that a table has by now: their names count up. */
export async function newestMetadata(store: ObjectStore, folder: string): Promise<string> {
  const names = (await store.names(`${folder}metadata/`)).filter((name) => /^\d{5}-.*\.metadata\.json$/.test(name));
  return `${folder}metadata/${names.at(-1) ?? ''}`;
}

async function load(store: ObjectStore, key: string): Promise<Answer> {
  const metadata = new TextDecoder().decode((await store.read(key)).bytes);
  return { status: 200, body: `{"metadata-location":${JSON.stringify(store.location(key))},"metadata":${metadata}}` };
}

/** One of two that commit at once is told that the other came first: their files have one name. */
async function commitTo({ store, commit }: Tables, folder: string, request: string): Promise<Answer> {
  const key = await newestMetadata(store, folder);
  const number = Number(key.slice(key.lastIndexOf('/') + 1).slice(0, 5)) + 1;
  const next = `${folder}metadata/${String(number).padStart(5, '0')}-spark.metadata.json`;
  try {
    const written = commit((await store.read(key)).bytes, request, store.location(key));
    const outcome = await store.write(next, new TextEncoder().encode(written), { kind: 'absent' });
    if (outcome.kind === 'written') return load(store, next);
    return refusal(409, 'CommitFailedException', `another has written ${next}`);
  } catch (cause) {
    if (cause instanceof CommitConflict) return refusal(409, 'CommitFailedException', cause.message);
    if (cause instanceof InvalidInput) return refusal(400, 'ValidationException', cause.message);
    throw cause;
  }
}

function refusal(code: number, type: string, message: string): Answer {
  return { status: code, body: JSON.stringify({ error: { message, type, code } }) };
}

/** Answers on this machine alone, as long as this process has something else to do; gives the address. */
export async function serveRest(tables: Tables): Promise<string> {
  const exchange = async (request: IncomingMessage): Promise<Answer> => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    return answerRest(tables, request.method ?? 'GET', pathname, await text(request));
  };
  const server = createServer((request, response) => {
    exchange(request)
      .catch((cause: unknown) => refusal(500, 'ServiceFailureException', String(cause)))
      .then(({ status, body }) =>
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(status === 204 ? undefined : body),
      );
  });
  server.on('connection', (socket) => socket.unref());
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(0, '127.0.0.1', listening));
  server.unref();
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
}
