import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { queryRows } from '../../lib/query/select.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { quoteText, quoteTexts } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable, planFiles } from '../../lib/table/read.ts';
import type { Bench, Measured } from '../bench.ts';
import type { Figure } from '../figures.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';

const BOUND = 1.2;
const ROWS = 5_000;
const NEEDED = ['place', 'heat', 'wind', 'rain'];
const SILENT = { info: () => undefined, warn: () => undefined };
const READINGS = { pipeline: 'readings', layer: 'silver', name: 'readings' } as const;

/**
 * What a run brings of silver that has new rows in one partition of many, for gold that follows changes, against the bytes
 * of the chunks of the columns that the model reads, in the files of that partition. As its row in `runs` tells it: the same
 * on a laptop, where files are read in place, as on AWS.
 */
export async function measureReads(bench: Bench): Promise<Measured> {
  const places = bench.sizes.partitions;
  const root = await freshFolder(join(WORK, 'reads'));
  const { deps, run } = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  await land(bench, root, 'all', `range(${places})`);
  await run({ pipeline: 'readings' });
  await land(bench, root, 'one', `range(${places >> 1}, ${(places >> 1) + 1})`);
  await run({ pipeline: 'readings' });
  const needed = await neededBytes(bench, deps, `place-${places >> 1}`);
  const [last] = await queryRows(
    deps,
    'SELECT bytes_brought, bytes_kept, bytes_skipped FROM readings_ops.runs ORDER BY started_at DESC LIMIT 1',
  );
  const brought = Number(last?.['bytes_brought']);
  bench.log(`reads: ${JSON.stringify({ needed, ...last })}`);
  const name = `gold touched in 1 of ${places.toLocaleString('en-US')} partitions: bytes brought against the bytes of its needed columns`;
  const kb = (bytes: number): string => `${(bytes / 1e3).toFixed(1)} kB`;
  const detail = `${kb(brought)} to ${kb(needed)}; skipped: ${kb(Number(last?.['bytes_skipped']))}`;
  const figure: Figure = { name, value: brought / needed, unit: 'x', bound: BOUND, detail };
  return { figures: [figure], fingerprints: [], skipped: [] };
}

/** Readings of some places, as one file. */
async function land({ session }: Bench, root: string, name: string, places: string): Promise<void> {
  const folder = join(root, 'bronze', 'readings', 'readings');
  await mkdir(folder, { recursive: true });
  const rows =
    "SELECT p * 100000 + i AS id, 'place-' || p AS place, random() AS heat, random() AS wind, random() AS rain, " +
    'random() AS raw_heat, random() AS raw_wind, md5(random()::VARCHAR) AS note ' +
    `FROM (SELECT unnest(${places}) AS p), range(${ROWS}) AS r(i)`;
  const text = `COPY (${rows}) TO ${quoteText(join(folder, `${name}.parquet`))} (FORMAT parquet)`;
  await session.run({ name: 'readings', text: userSql(text) });
}

async function neededBytes({ session }: Bench, deps: StepDeps, place: string): Promise<number> {
  const entry = await loadTable(deps.catalog, READINGS);
  if (entry === undefined) throw new Error('there are no readings');
  const files = await planFiles(deps.store, entry.metadata, {
    predicates: [{ column: 'place', op: '=', value: place }],
  });
  await using lent = await deps.store.borrow(files.map((file) => deps.store.key(file.path)));
  const chunks = `parquet_metadata(${quoteTexts([...lent.paths.values()])}) WHERE path_in_schema IN (${NEEDED.map((one) => quoteText(one)).join()})`;
  const rows = await session.rows({
    name: 'needed',
    text: userSql(`SELECT sum(total_compressed_size)::BIGINT AS bytes FROM ${chunks}`),
  });
  return Number(rows[0]?.['bytes']);
}
