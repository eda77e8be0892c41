import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InvalidInput } from '../../core/errors.ts';
import type { PostgresOrigin } from '../../core/origins.ts';
import { oneOf } from '../../core/suggest.ts';
import type { Engine, LandedOrigin, Lander, ObjectStore, SessionOptions } from '../../ports.ts';
import {
  beginExtract,
  copyExtract,
  countExtract,
  type ExtractColumn,
  type ExtractedRows,
  type ExtractRange,
  joinExtract,
  selectBounds,
  writeExtract,
} from '../../sql/postgres/extract.ts';
import { describeTables } from '../../sql/postgres/tables.ts';
import type { Connection, PostgresPlace } from '../postgres/client.ts';
import { connectPostgres } from '../postgres/connect.ts';
import { type Landed, type Turn, takeTurn } from './snapshots.ts';

export type PostgresDeps = {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly settings: SessionOptions;
  readonly unique: () => string;
  readonly now: () => Date;
  readonly secret: (name: string) => Promise<string | undefined>;
};

/** Lands rows of a table as one Parquet file, all as they were at one moment: the whole table, or what its cursor says is new. */
export function createPostgresLander(origin: PostgresOrigin, deps: PostgresDeps, connect = connectPostgres): Lander {
  const place: PostgresPlace = { secret: origin.secret, read: deps.secret };
  return {
    async land(prefix) {
      const at = deps.now();
      const folder = join(deps.settings.scratch, `extract-${deps.unique()}`);
      await mkdir(folder, { recursive: true });
      try {
        const turn = await takeTurn(deps.store, prefix);
        const extract = await extractRows(() => connect(place), origin, folder, turn.latest);
        return await landExtract(deps, { turn, at, folder, ...extract });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

type Extract = {
  readonly parts: readonly string[];
  readonly columns: readonly ExtractColumn[];
  /** The highest that was seen; null without a cursor, or without a row. */
  readonly cursor: string | null;
};

/** One transaction holds the snapshot, under which each range is copied by a connection of its own. */
async function extractRows(
  connect: () => Promise<Connection>,
  origin: PostgresOrigin,
  folder: string,
  latest: Landed | undefined,
): Promise<Extract> {
  await using main = await connect();
  let snapshot = '';
  for (const statement of beginExtract()) snapshot = String((await main.run(statement))[0]?.['snapshot'] ?? '');
  const columns = await columnsOf(main, origin);
  const { schema, table, where, cursor } = origin;
  const known = cursor === undefined ? undefined : latest?.cursor;
  const rows: ExtractedRows = {
    ...{ schema, table },
    ...(where === undefined ? {} : { where }),
    ...(cursor === undefined || known === undefined
      ? {}
      : {
          since: {
            column: cursor.column,
            type: typeOf(columns, cursor.column),
            value: known,
            overlapMs: cursor.overlapMs,
          },
        }),
  };
  const high = cursor === undefined ? null : (await main.run(selectBounds(rows, cursor.column)))[0]?.['high'];
  const ranges = await rangesOf(main, origin, rows, columns);
  const parts = ranges.map((_, at) => join(folder, `part-${String(at).padStart(4, '0')}.csv`));
  const copied = await Promise.allSettled(
    ranges.map(async (range, at) => {
      await using own = await connect();
      for (const statement of joinExtract(snapshot)) await own.run(statement);
      await own.copyOut(copyExtract(rows, columns, range), parts[at] ?? '');
    }),
  );
  // Once none is at work any more: what they write to goes with a failure.
  for (const one of copied) if (one.status === 'rejected') throw one.reason;
  return { parts, columns, cursor: typeof high === 'string' ? high : null };
}

/** The columns of the source with their types there. Throws InvalidInput for a table or a column that is not there. */
async function columnsOf(
  main: Connection,
  { schema, table, columns }: PostgresOrigin,
): Promise<readonly ExtractColumn[]> {
  const found = await main.run(describeTables(schema, [table]));
  if (found.length === 0) {
    throw new InvalidInput(`no table ${schema}.${table} that this user sees: expected one to extract rows from`);
  }
  const types = new Map(found.map((row) => [String(row['name']), String(row['type'])]));
  return columns.map((name) => {
    const type = types.get(name);
    if (type !== undefined) return { name, type };
    throw new InvalidInput(`${schema}.${table}: got no column ${name}; expected ${oneOf(name, [...types.keys()])}`);
  });
}

function typeOf(columns: readonly ExtractColumn[], name: string): string {
  return columns.find((column) => column.name === name)?.type ?? 'text';
}

const WHOLE: readonly string[] = ['smallint', 'integer', 'bigint'];

/** As many ranges as are asked for, of equal width. */
async function rangesOf(
  main: Connection,
  { schema, table, partition }: PostgresOrigin,
  rows: ExtractedRows,
  columns: readonly ExtractColumn[],
): Promise<readonly (ExtractRange | undefined)[]> {
  if (partition === undefined) return [undefined];
  const { column, parts } = partition;
  const type = typeOf(columns, column);
  if (!WHOLE.includes(type)) {
    throw new InvalidInput(
      `${schema}.${table}.${column}: got ${type}; expected ${WHOLE.join(', ')}, of which ranges can be made`,
    );
  }
  const [bounds] = await main.run(selectBounds(rows, column));
  if (bounds?.['low'] === null || bounds?.['low'] === undefined) return [undefined];
  const [low, high] = [BigInt(String(bounds['low'])), BigInt(String(bounds['high']))];
  const width = (high - low) / BigInt(parts) + 1n;
  const starts = Array.from({ length: parts }, (_, at) => low + width * BigInt(at)).filter((start) => start <= high);
  return starts.map((start, at) => ({
    column,
    ...(at === 0 ? {} : { from: start }),
    ...(at === starts.length - 1 ? {} : { to: start + width }),
  }));
}

type Extracted = Extract & { readonly turn: Turn; readonly at: Date; readonly folder: string };

/** The file is there as a whole or not at all; its name has the cursor up to which rows are in it, or in files before it. */
async function landExtract(deps: PostgresDeps, extracted: Extracted): Promise<LandedOrigin> {
  const { parts, columns, turn, at, folder } = extracted;
  const path = join(folder, 'extract.parquet');
  const session = await deps.engine.open(deps.settings);
  let records = 0;
  try {
    await session.run(writeExtract(parts, columns, path));
    records = Number((await session.rows(countExtract(path)))[0]?.['n']);
  } finally {
    await session[Symbol.asyncDispose]();
  }
  if (records === 0) return { files: [], records, nothing: 'empty' };
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const digest = hash.digest('hex').slice(0, 16);
  const cursor = extracted.cursor ?? turn.latest?.cursor;
  const landing = { hash: digest, at, ending: 'parquet', ...(cursor === undefined ? {} : { cursor }) } as const;
  return turn.land(landing, records, async (key) => (await deps.store.publish(path, key)).size);
}
