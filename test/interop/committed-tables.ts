import { join } from 'node:path';
import fc from 'fast-check';
import type { TableId } from '../../lib/core/tables.ts';
import { type Column, type ColumnType, parseColumnType } from '../../lib/core/types.ts';
import { month } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { createHashMacros } from '../../lib/sql/transform.ts';
import { userTerm } from '../../lib/sql/user-sql.ts';
import { awkwardNames, COMBINATIONS, tablesOf } from './generated-tables.ts';
import { copy, type DescribedTable, describeTable, openLake, withSession } from './lakes.ts';
import { commitRows } from './write-table.ts';

/** Tables that are committed without a pipeline: of random shapes, and with more commits than a run has. */

const tableId = (name: string): TableId => ({ pipeline: 'committed', layer: 'silver', name });

const COMMITS = 130;
/** Every so many commits one replaces a month instead of adding to it. */
const REPLACES = 10;

const MANY_COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'commit', type: { kind: 'int' } },
  { name: 'on', type: { kind: 'date' } },
  { name: 'name', type: { kind: 'string' } },
];

/** Months of 2020: commit n has rows in the month n % 12 and in the next one, but a replacing one only in its own. */
const MANY_ROWS = `SELECT 10 * c + n AS id, CAST(c AS INTEGER) AS "commit",
    CAST(DATE '2020-01-01' + to_months(CAST(c % 12 + (CASE WHEN c % ${REPLACES} = 0 THEN 0 ELSE n % 2 END) AS INTEGER)) AS DATE) AS "on",
    CASE WHEN n <> 2 THEN repeat('x', CAST(c % 20 AS INTEGER)) || n END AS name
  FROM range(1, ${COMMITS + 1}) AS commits(c), range(4) AS rows(n)`;

export async function writeMany(root: string) {
  const lake = await openLake(root, 'no-pipelines');
  const input = await copy(lake, MANY_ROWS, join(lake.root, 'many.parquet'), 'FORMAT parquet');
  const shape = { id: tableId('many'), columns: MANY_COLUMNS, partitionBy: [month('on')], sortBy: [] };
  const snapshots: string[] = [];
  await withSession(lake, async (session) => {
    for (let commit = 1; commit <= COMMITS; commit += 1) {
      const rows = sql`(SELECT * FROM ${quoteText(input)} WHERE "commit" = ${commit})`;
      const tuples = [[50 * 12 + (commit % 12)]];
      const replaces = commit > 1 && commit % REPLACES === 0;
      const entry = await commitRows(lake.deps, session, shape, rows, {
        ...(replaces ? { kind: 'partitions', tuples } : { kind: 'nothing' }),
      });
      snapshots.push(String(entry.metadata['current-snapshot-id']));
    }
  });
  return { input, replaces: REPLACES, snapshots, table: await describeTable(lake, shape.id, shape.partitionBy) };
}

const GROUP = 122_880;

/** More rows than a row group has, so that a file's bounds come from several: some without a value, some all NaN. */
const LARGE_ROWS = `SELECT n AS id,
    CASE WHEN n < ${GROUP} THEN CAST('nan' AS DOUBLE) WHEN n % 7 <> 0 THEN n / 2 - 200000 END AS nan_first,
    CASE WHEN n >= ${GROUP} THEN CAST('nan' AS FLOAT) ELSE CAST(-n AS FLOAT) END AS nan_last,
    CASE WHEN n >= ${GROUP} AND n < ${2 * GROUP} THEN CAST(n AS INTEGER) END AS value_between,
    CAST(CASE WHEN n % 2 = 0 THEN -n ELSE n END * 1000.5 AS DECIMAL(38,1)) AS amount,
    CASE WHEN n < ${2 * GROUP} THEN repeat('é', 20) || n END AS text,
    TIMESTAMPTZ '1969-12-31 00:00:00+00' + to_microseconds(n * 86400000) AS at
  FROM range(${2 * GROUP + 1000}) AS r(n)`;

const LARGE_TYPES = 'bigint double float int decimal(38,1) string timestamptz'.split(' ');
const LARGE_NAMES = 'id nan_first nan_last value_between amount text at'.split(' ');

export async function writeLarge(root: string) {
  const lake = await openLake(root, 'no-pipelines');
  const input = await copy(lake, LARGE_ROWS, join(lake.root, 'large.parquet'), 'FORMAT parquet');
  const columns = LARGE_NAMES.map((name, at) => ({ name, type: typeNamed(LARGE_TYPES[at] ?? '') }));
  const shape = { id: tableId('large'), columns, partitionBy: [], sortBy: [] };
  await withSession(lake, (session) => commitRows(lake.deps, session, shape, quoteText(input)));
  return { input, table: await describeTable(lake, shape.id, []) };
}

function typeNamed(text: string): ColumnType {
  const type = parseColumnType(text);
  if (type === undefined) throw new RangeError(`not a type: ${text}`);
  return type;
}

/** One random table for every transform over every type, from a seed. */
export async function writeGenerated(root: string, seed: number) {
  const lake = await openLake(root, 'no-pipelines');
  const tables: Record<string, DescribedTable & { readonly inputs: readonly string[] }> = {};
  await withSession(lake, async (session) => {
    await session.run(createHashMacros());
    for (const [at, combination] of COMBINATIONS.entries()) {
      const [generated] = fc.sample(tablesOf(combination, awkwardNames), { seed: seed + at, numRuns: 1 });
      if (generated === undefined) throw new Error('fast-check gave no table');
      const name = `g${at}_${combination.transform}_${combination.type}`;
      const inputs = await writeBatches(lake, session, name, generated);
      tables[name] = { ...(await describeTable(lake, tableId(name), generated.partitionBy)), inputs };
    }
  });
  return { seed, tables };
}

type Generated = ReturnType<typeof tablesOf> extends fc.Arbitrary<infer Table> ? Table : never;

async function writeBatches(
  lake: LocalLake,
  session: Session,
  name: string,
  { batches, ...shape }: Generated,
): Promise<readonly string[]> {
  const inputs: string[] = [];
  for (const [at, batch] of batches.entries()) {
    inputs.push(await copy(lake, batch, join(lake.root, `${name}-${at}.parquet`), 'FORMAT parquet'));
    await commitRows(lake.deps, session, { ...shape, id: tableId(name) }, userTerm(batch));
  }
  return inputs;
}
