import { after, before } from 'node:test';
import pg from 'pg';
import type { PostgresPlace } from '../../../lib/adapters/postgres/client.ts';
import { createPostgresSink } from '../../../lib/adapters/postgres/sink.ts';
import type { OpenedSink } from '../../ports/sink-contract.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

export type Answer = readonly Readonly<Record<string, unknown>>[];

/** One server for the tests of a file, and a connection that looks into it. */
export type Database = {
  readonly server: PostgresServer;
  readonly place: PostgresPlace;
  query(text: string): Promise<Answer>;
  /** A schema that is not there. */
  schema(): string;
  /** Rows of a table as text, in their order; undefined for one that is not there. */
  rows(schema: string, table: string): Promise<readonly (readonly (string | null)[])[] | undefined>;
  open(): Promise<OpenedSink>;
};

/** To be called once in a file, outside of its tests. */
export function useDatabase(): Database {
  let server: PostgresServer | undefined;
  let client: InstanceType<typeof pg.Client> | undefined;
  let schemas = 0;
  const started = (): PostgresServer => server ?? fail();
  before(async () => {
    server = await startPostgres();
    client = new pg.Client({ connectionString: server.url() });
    await client.connect();
  });
  after(async () => {
    await client?.end();
    await server?.stop();
  });
  const query = async (text: string): Promise<Answer> => (await (client ?? fail()).query(text)).rows;
  const schema = (): string => {
    schemas += 1;
    return `s${schemas}`;
  };
  const rows: Database['rows'] = async (name, table) => {
    const [there] = await query(`SELECT to_regclass('"${name}"."${table}"') IS NOT NULL AS there`);
    if (there?.['there'] !== true) return undefined;
    const all = await query(
      `SELECT to_jsonb(t)::text AS row FROM (SELECT * FROM "${name}"."${table}") t ORDER BY t::text`,
    );
    return all.map((one) => Object.values(JSON.parse(String(one['row'])) as object).map(textOf));
  };
  const place: PostgresPlace = { secret: 'TEST_URL', read: async () => started().url() };
  return {
    get server() {
      return started();
    },
    ...{ place, query, schema, rows },
    async open() {
      const own = schema();
      return { sink: createPostgresSink(place), schema: own, rows: (table) => rows(own, table) };
    },
  };
}

function textOf(value: unknown): string | null {
  return value === null ? null : String(value);
}

function fail(): never {
  throw new Error('the server has not been started');
}
