import { z } from 'zod';
import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { Progress, SqlEngine } from '../../core/sql-engine.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import {
  begunUnder,
  createSchema,
  metadataFiles,
  namesBeginning,
  registerTable,
  type TrinoPlace,
  unregisterTable,
} from '../../sql/engines/trino.ts';

export type TrinoOptions = TrinoPlace & {
  /** `http://127.0.0.1:8080`. */
  readonly address: string;
  readonly fetch?: typeof fetch;
};

const failure = z.object({
  message: z.string().default('no reason'),
  errorName: z.string().optional(),
  errorType: z.string().optional(),
});
const page = z.object({
  id: z.string(),
  nextUri: z.string().optional(),
  data: z.array(z.array(z.unknown())).optional(),
  error: failure.optional(),
});
type Page = z.infer<typeof page>;

/** A place as STRATA_TRINO names it, `http://127.0.0.1:8080/<catalog>/<schema>`. Throws InvalidInput for another text. */
export function parseTrino(text: string): Omit<TrinoOptions, 'fetch'> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const [catalog, schema, ...rest] = url?.pathname.split('/').filter((part) => part !== '') ?? [];
  if (
    url === undefined ||
    !url.protocol.startsWith('http') ||
    catalog === undefined ||
    schema === undefined ||
    rest.length > 0
  ) {
    throw new InvalidInput(
      `STRATA_TRINO: got ${JSON.stringify(text)}; expected http://<host>:<port>/<catalog>/<schema>, such as http://127.0.0.1:8080/iceberg/strata`,
    );
  }
  return { address: url.origin, catalog, schema };
}

/**
 * A Trino that finds tables where it is told to, by `register_table`, which its catalog has to permit. The token of a statement is
 * its source. A statement goes on only while somebody asks for its end: this process does.
 * Source: https://trino.io/docs/current/develop/client-protocol.html, https://trino.io/docs/current/connector/iceberg.html
 */
export function createTrinoEngine(options: TrinoOptions): SqlEngine<TableMetadata> {
  const { address, catalog, schema, fetch: ask = fetch } = options;
  const place: TrinoPlace = { catalog, schema };
  const title = `Trino (${address})`;
  const followed = new Map<string, Promise<Progress> | Progress>();
  let made: Promise<unknown> | undefined;

  const call = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { 'X-Trino-User': 'strata', 'X-Trino-Time-Zone': 'UTC', ...init.headers };
    const response = await ask(url, { ...init, headers }).catch((cause: unknown) => {
      throw unreached(title, cause);
    });
    if (response.status >= 500 || response.status === 429)
      throw new Unavailable(`${title} is not there for now: it answers ${response.status}`);
    return response;
  };
  const read = async (response: Response): Promise<Page> => page.parse(await response.json());
  const begin = async (statement: Sql, source: string): Promise<Page> => {
    const response = await call(`${address}/v1/statement`, {
      method: 'POST',
      body: statement,
      headers: { 'X-Trino-Source': source },
    });
    if (!response.ok)
      throw new InvalidInput(`${title}: got status ${response.status} for a statement: ${await response.text()}`);
    return read(response);
  };
  const rowsOf = async (statement: Sql): Promise<readonly (readonly unknown[])[]> => {
    const rows: (readonly unknown[])[] = [];
    for (let at = await begin(statement, 'strata'); ; at = await read(await call(at.nextUri ?? ''))) {
      rows.push(...(at.data ?? []));
      if (at.error !== undefined) throw new InvalidInput(`${title}: ${at.error.message}${remedyOf(at.error.message)}`);
      if (at.nextUri === undefined) return rows;
    }
  };
  const follow = async (first: Page): Promise<Progress> => {
    let at = first;
    while (at.nextUri !== undefined && at.error === undefined) at = await read(await call(at.nextUri));
    return at.error === undefined ? { kind: 'done' } : progressOf(at.error);
  };
  const names = async (prefix: string): Promise<readonly string[]> =>
    (await rowsOf(namesBeginning(place, prefix))).map(([name]) => String(name));

  return {
    title,
    dialect: 'trino',
    place: [catalog, schema],
    async show({ name, metadata, metadataLocation }) {
      made ??= rowsOf(createSchema(place));
      await made;
      if ((await names(name)).includes(name)) return;
      const file = metadataLocation.slice(metadataLocation.lastIndexOf('/') + 1);
      await rowsOf(registerTable(place, name, metadata.location, file));
    },
    async shown(name) {
      if (!(await names(name)).includes(name)) return undefined;
      const [last] = (await rowsOf(metadataFiles(place, name))).at(-1) ?? [];
      return last === undefined ? undefined : String(last);
    },
    names,
    async hide(hidden) {
      for (const name of hidden) if ((await names(name)).includes(name)) await rowsOf(unregisterTable(place, name));
    },
    async start(statement, token) {
      const [[known] = []] = await rowsOf(begunUnder(token));
      if (known !== undefined) return String(known);
      const first = await begin(statement, token);
      const ended = follow(first).catch((cause: unknown): Progress => ({ kind: 'failed', reason: String(cause) }));
      followed.set(first.id, ended);
      void ended.then((progress) => followed.set(first.id, progress));
      return first.id;
    },
    async look(id) {
      const own = followed.get(id);
      if (own !== undefined) return own instanceof Promise ? { kind: 'working' } : own;
      const response = await call(`${address}/v1/query/${id}`);
      if (!response.ok) return { kind: 'failed', reason: `it no longer knows ${id}` };
      const { state, failureInfo, ...found } = query.parse(await response.json());
      if (state === 'FINISHED') return { kind: 'done' };
      if (state !== 'FAILED') return { kind: 'working' };
      return progressOf({
        message: failureInfo?.message ?? 'no reason',
        errorName: found.errorCode?.name,
        errorType: found.errorCode?.type,
      });
    },
    async cancel(id) {
      await call(`${address}/v1/query/${id}`, { method: 'DELETE' });
    },
  };
}

const query = z.object({
  state: z.string(),
  errorCode: z.object({ name: z.string().optional(), type: z.string().optional() }).optional(),
  failureInfo: z.object({ message: z.string().optional() }).optional(),
});

/** Whoever ends a statement says nothing about it. */
const ENDED = new Set(['USER_CANCELED', 'ADMINISTRATIVELY_KILLED', 'ADMINISTRATIVELY_PREEMPTED']);

function progressOf({ message, errorName = '', errorType }: z.infer<typeof failure>): Progress {
  const refused = errorType === 'USER_ERROR' && !ENDED.has(errorName);
  return { kind: refused ? 'refused' : 'failed', reason: message };
}

function remedyOf(message: string): string {
  if (!/register_table/.test(message)) return '';
  return '; its catalog has to permit it: iceberg.register-table-procedure.enabled=true';
}

function unreached(title: string, cause: unknown): Error {
  const code = (cause as { readonly cause?: { readonly code?: unknown } }).cause?.code;
  if (code !== 'ECONNREFUSED') return new Unavailable(`${title} is not reached: ${String(cause)}`, { cause });
  return new InvalidInput(`${title}: nobody answers there; start it, or let STRATA_TRINO name another`, [], { cause });
}
