import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Statement } from '../../core/statement.ts';
import { type Connection, explainPostgres, type PostgresPlace, urlOf } from './client.ts';
import { clients } from './load.ts';

const CONNECT_MS = 10_000;

/** Connects to the PostgreSQL of a secret. Throws as `explainPostgres` says. */
export async function connectPostgres(place: PostgresPlace): Promise<Connection> {
  const connectionString = await urlOf(place);
  const { pg, copy } = await clients();
  const explain = (at: string, cause: unknown): Error => explainPostgres(place, at, cause);
  const client = newClient();
  // One that ends between two statements: the next statement says so.
  client.on('error', () => {});
  await client.connect().catch((cause: unknown) => {
    throw explain('connect', cause);
  });
  return {
    async run({ name, text }) {
      try {
        return (await client.query(text)).rows;
      } catch (cause) {
        throw explain(name, cause);
      }
    },
    async copyIn({ name, text }: Statement, path) {
      const hash = createHash('sha256');
      const seen = new Transform({
        transform(chunk: Buffer, _, done) {
          hash.update(chunk);
          done(null, chunk);
        },
      });
      try {
        const into = client.query(copy.from(text));
        await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), seen, into);
        return { rows: into.rowCount, sha256: hash.digest('hex') };
      } catch (cause) {
        throw explain(name, cause);
      }
    },
    async copyOut({ name, text }: Statement, path) {
      try {
        await pipeline(client.query(copy.to(text)), createWriteStream(path, { flags: 'wx' }));
      } catch (cause) {
        throw explain(name, cause);
      }
    },
    // One that the server has closed is at its end already.
    [Symbol.asyncDispose]: () => client.end().catch(() => {}),
  };

  function newClient() {
    try {
      return new pg.Client({
        connectionString,
        application_name: 'strata',
        connectionTimeoutMillis: CONNECT_MS,
        keepAlive: true,
      });
    } catch (cause) {
      throw explain('connect', cause);
    }
  }
}
