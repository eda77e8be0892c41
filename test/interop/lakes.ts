import { copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isKeyed, type KeyedModel, liesInRanges } from '../../lib/core/keyed.ts';
import type { PartitionField, PipelineSpec } from '../../lib/core/spec.ts';
import { fullName, type TableId } from '../../lib/core/tables.ts';
import { bucket } from '../../lib/define/index.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import type { Session } from '../../lib/ports.ts';
import { type LocalLake, openLocalLake } from '../../lib/runtime/local.ts';
import { relocateLake } from '../../lib/runtime/relocate-lake.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { writeSample } from './sample.ts';

/** A table as it was declared and where its metadata lies; what is in it, the checks know from the inputs. */
export type DescribedTable = {
  readonly metadata: string;
  readonly partition: readonly { readonly column: string; readonly transform: string }[];
};

/** What a run chooses for a small table. */
const FEWEST_BUCKETS = 1;
const HERE = import.meta.dirname;
/** The pipelines of most lakes. */
export const PIPELINES = join(HERE, 'pipelines');
const log = { info: () => {}, warn: (event: string, fields?: unknown) => console.error(event, fields) };

export async function openLake(root: string, pipelines: string): Promise<LocalLake> {
  await mkdir(root, { recursive: true });
  return openLocalLake({ root, pipelines, log, memoryBytes: 1_000_000_000, threads: 2 });
}

export async function withSession<T>(lake: LocalLake, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await lake.deps.engine.open(lake.deps.settings);
  try {
    return await use(session);
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

async function landing(lake: LocalLake, ...key: readonly string[]): Promise<string> {
  const path = join(lake.root, 'bronze', ...key);
  await mkdir(dirname(path), { recursive: true });
  return path;
}

export async function copy(lake: LocalLake, select: string, to: string, options: string): Promise<string> {
  await withSession(lake, (session) =>
    session.run({ name: 'input', text: userSql(`COPY (${select}) TO ${quoteText(to)} (${options})`) }),
  );
  return to;
}

export async function runPipeline(lake: LocalLake, pipeline: string): Promise<string> {
  const answer = await lake.run({ pipeline });
  if (answer.kind !== 'ended' || answer.result.status !== 'SUCCEEDED') {
    throw new Error(`${pipeline}: ${JSON.stringify(answer)}`);
  }
  return answer.result.run_id;
}

function describeFields(fields: readonly PartitionField[]): DescribedTable['partition'] {
  return fields.map(({ column, transform }) => ({
    column,
    transform: 'width' in transform ? `${transform.kind}[${transform.width}]` : transform.kind,
  }));
}

export async function describeTable(
  lake: LocalLake,
  id: TableId,
  fields: readonly PartitionField[],
): Promise<DescribedTable> {
  const entry = await lake.deps.catalog.load(id);
  if (entry === undefined) throw new Error(`no table ${fullName(id)}`);
  return { metadata: entry.metadataLocation, partition: describeFields(fields) };
}

/** The tables of a pipeline by name, partitioned as its definition says; keyed ones by bucket of their key, where it lies in buckets. */
export async function describeModels(lake: LocalLake, pipeline: string): Promise<Record<string, DescribedTable>> {
  const spec: PipelineSpec = await lake.deps.specs(pipeline);
  const tables: Record<string, DescribedTable> = {};
  for (const model of spec.models) {
    const { layer, name } = model;
    const partitionBy = isKeyed(model) ? keyPartitions(model) : model.partitionBy;
    tables[name] = await describeTable(lake, { pipeline, layer, name }, partitionBy);
  }
  return tables;
}

function keyPartitions(model: KeyedModel): readonly PartitionField[] {
  const { key, buckets } = model.mode;
  return liesInRanges(model) ? [] : key.map((column) => bucket(buckets ?? FEWEST_BUCKETS, column));
}

/** The tables that no model names, such as the books of runs: what they hold is not compared, their form is checked. */
export async function describeOthers(lake: LocalLake, tables: Readonly<Record<string, DescribedTable>>) {
  const described = new Set(Object.values(tables).map((table) => table.metadata));
  const locations: string[] = [];
  for (const id of await lake.deps.catalog.list()) {
    const entry = await lake.deps.catalog.load(id);
    if (entry !== undefined && !described.has(entry.metadataLocation)) locations.push(entry.metadataLocation);
  }
  return locations;
}

export async function writeTypes(root: string) {
  const lake = await openLake(root, PIPELINES);
  const input = await landing(lake, 'types', 'sample', 'sample.parquet');
  await withSession(lake, (session) => session.run(writeSample(input)));
  const nothing = await landing(lake, 'types', 'nothing', 'nothing.csv');
  await copy(lake, 'SELECT 1 AS id, 2 AS name, 3 AS at WHERE false', nothing, 'FORMAT csv, HEADER');
  await runPipeline(lake, 'types');
  const { empty, ...tables } = await describeModels(lake, 'types');
  return { input, tables, empty, others: await describeOthers(lake, tables) };
}

/** When the events of a batch begin: the months of the first three overlap. */
const FIRSTS = ['2024-01-01', '2024-04-01', '1969-11-15', '2024-02-01'];
const BATCHES = 3;

/** Lands the n-th batch and runs; the id of the run. */
export async function runBatch(lake: LocalLake, at: number): Promise<string> {
  const select = `SELECT ${at} * 1000 + n AS id, (n * 7 + ${at}) % 50 AS sensor,
      CASE WHEN n % 50 <> 7 THEN TIMESTAMP '${FIRSTS[at]}' + INTERVAL (n * 37) HOUR + INTERVAL (n) MICROSECOND END AS at,
      CASE WHEN n % 11 <> 3 THEN ['north', 'süd', 'east & west'][1 + n % 3] END AS region,
      CAST((n * 7919 % 100000 - 50000) / 100 AS DECIMAL(12,2)) AS amount
    FROM range(120) AS r(n)`;
  const batch = await landing(lake, 'modes', 'events', `batch-${at}.csv`);
  await copy(lake, select, batch, 'FORMAT csv, HEADER');
  await copyFile(batch, await landing(lake, 'modes', 'sensors', `batch-${at}.csv`));
  return runPipeline(lake, 'modes');
}

/** Three batches whose months overlap, one run after each. */
export async function writeModes(root: string) {
  const lake = await openLake(root, PIPELINES);
  const batches: string[] = [];
  const runs: string[] = [];
  for (let at = 0; at < BATCHES; at++) {
    batches.push(join(lake.root, 'bronze', 'modes', 'events', `batch-${at}.csv`));
    runs.push(await runBatch(lake, at));
  }
  const tables = await describeModels(lake, 'modes');
  return { batches, runs, tables, others: await describeOthers(lake, tables) };
}

/** The same lake, moved after its runs and relocated; nothing is at its old place. */
export async function writeRelocated(root: string) {
  const before = `${root}-before`;
  const { batches, runs } = await writeModes(before);
  await rename(before, root);
  const lake = await openLake(root, PIPELINES);
  const { relocated, failed, unchanged } = await relocateLake(lake.deps, { from: `file://${before}` });
  if (relocated.length === 0 || failed.length + unchanged > 0) throw new Error(`relocated ${JSON.stringify(failed)}`);
  const tables = await describeModels(lake, 'modes');
  const moved = batches.map((path) => path.replace(before, root));
  return { batches: moved, runs, tables, others: await describeOthers(lake, tables) };
}

const READINGS = [
  `SELECT n AS id, n % 3 AS class, ['nan', '0.1', '-1e30', NULL][1 + n % 4] AS score,
     CAST(n * 1.25 AS DECIMAL(9,2)) AS price, 'name ' || n % 5 AS name FROM range(40) AS r(n)`,
  `SELECT 3000000000 + n AS id, 3000000000 * (n % 2) + n % 3 AS class, ['nan', '0.1', '-1e300', NULL][1 + n % 4] AS score,
     CAST(n * 1000000000.25 AS DECIMAL(18,2)) AS price, 'name ' || n % 5 AS name, 'note ' || n AS note FROM range(40) AS r(n)`,
];

/** Two runs of a pipeline that was changed in between. */
export async function writeEvolving(root: string) {
  const batches: string[] = [];
  const runs: string[] = [];
  const tables: Record<string, DescribedTable> = {};
  for (const [at, version] of ['first', 'second'].entries()) {
    const lake = await openLake(root, join(HERE, 'evolution', version));
    const batch = await landing(lake, 'evolving', 'readings', `batch-${at}.csv`);
    batches.push(await copy(lake, READINGS[at] ?? '', batch, 'FORMAT csv, HEADER'));
    runs.push(await runPipeline(lake, 'evolving'));
    Object.assign(tables, { [version]: (await describeModels(lake, 'evolving'))['readings'] });
  }
  return { batches, runs, tables };
}

export async function writeRetail(root: string) {
  const lake = await openLake(root, join(HERE, '..', '..', 'pipelines'));
  const out = await landing(lake, 'retail', 'customers');
  const options = { out: dirname(out), transactions: 5000, customers: 120, products: 40, files: 3, hotShare: 0.1 };
  const files = await withSession(lake, (session) => generateRetail(parseRetailOptions(options), session));
  await runPipeline(lake, 'retail');
  const tables = await describeModels(lake, 'retail');
  return {
    files: files.map(({ table, path }) => ({ table, path })),
    tables,
    others: await describeOthers(lake, tables),
  };
}
