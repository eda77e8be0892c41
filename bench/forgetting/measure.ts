import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TableId, tablePrefix } from '../../lib/core/tables.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import type { DataFile } from '../../lib/iceberg/types.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { fieldIdsOf } from '../../lib/lake/tables/field-ids.ts';
import type { WrittenFile } from '../../lib/ports.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { writeTable } from '../../lib/sql/write.ts';
import { loadTable } from '../../lib/table/read.ts';
import { commitFiles } from '../append-files.ts';
import type { Bench, Measured } from '../bench.ts';
import type { Sample } from '../figures.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';
import { compareTimes } from '../rounds.ts';

const BOUND = 20;
const FILES_PER_COMMIT = 20;
const EVENTS: TableId = { pipeline: 'events', layer: 'silver', name: 'events' };
const FORCED = { target: 'events_silver.events', olderThanMs: 0, forceRetention: true };
const SILENT = { info: () => undefined, warn: () => undefined };

/** Snapshots that are forgotten, and as many files that nobody knows, against one listing of the table's folder. */
export async function measureForgetting(bench: Bench): Promise<Measured> {
  const commits = bench.sizes.commits - 2;
  const times = { list: [] as Sample[], expire: [] as Sample[], vacuum: [] as Sample[] };
  let files = 0;
  for (let round = 1; round <= bench.rounds; round += 1) {
    const { deps, written } = await makeHistory(bench, commits);
    const { found, ...listed } = await list(deps);
    files = found;
    times.list.push(listed);
    times.expire.push(await timed(() => expire(deps, commits)));
    const orphans = await leaveOrphans(deps, written, commits * FILES_PER_COMMIT);
    times.vacuum.push(await timed(() => vacuum(deps, orphans)));
    bench.log(`forgetting, round ${round}: ${JSON.stringify(times)}`);
  }
  const of = `${commits} snapshots with ${files.toLocaleString('en-US')} files`;
  return {
    figures: [
      ...compareTimes(`expire of ${of}, against listing them`, times.expire, times.list, BOUND),
      ...compareTimes(
        `vacuum of as many files that nobody knows, against the same listing`,
        times.vacuum,
        times.list,
        BOUND,
      ),
    ],
    fingerprints: [],
    skipped: [],
  };
}

async function timed(work: () => Promise<void>): Promise<Sample> {
  const [started, used] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(used);
  return { ms: performance.now() - started, cpuMs: (user + system) / 1000, peakBytes: null };
}

async function list({ store }: StepDeps): Promise<Sample & { readonly found: number }> {
  let found = 0;
  const sample = await timed(async () => {
    for await (const _ of store.list(`${tablePrefix(EVENTS)}/`)) found += 1;
  });
  return { ...sample, found };
}

/** A table of which each snapshot has taken the place of all files of the one before. */
async function makeHistory(bench: Bench, commits: number) {
  const root = await freshFolder(join(WORK, 'forgetting'));
  const landed = join(root, 'bronze', 'events', 'events');
  await mkdir(landed, { recursive: true });
  const header = 'event_id,event_ts,device_id,kind,session,quantity,price,score';
  await writeFile(join(landed, 'first.csv'), `${header}\n0,2025-01-01 00:00:00,1,view,s,1,1.00,1.5\n`);
  const { deps, run } = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  await run({ pipeline: 'events' });
  const written = await writeSample(bench, deps, join(root, 'sample'));
  let before: readonly DataFile[] = [];
  for (let n = 0; n < commits; n += 1) before = await commitFiles(deps, EVENTS, await copies(written, root), before);
  return { deps, written };
}

async function copies(written: WrittenFile, root: string): Promise<readonly WrittenFile[]> {
  const paths = Array.from({ length: FILES_PER_COMMIT }, (_, at) => join(root, `next-${at}.parquet`));
  await Promise.all(paths.map((path) => copyFile(written.path, path)));
  return paths.map((path) => ({ ...written, path }));
}

async function writeSample(bench: Bench, deps: StepDeps, folder: string): Promise<WrittenFile> {
  const table = await loadTable(deps.catalog, EVENTS);
  if (table === undefined) throw new Error('the run made no table');
  const [written] = await bench.session.copy(
    writeTable({
      name: 'sample file',
      from: sql`(SELECT i AS event_id, TIMESTAMP '2025-01-01' AS event_ts, 1 AS device_id, 'view' AS kind, 's' AS session,
        1 AS quantity, 1 AS price, 1 AS score FROM range(10) AS rows(i))`,
      columns: columnsOf(currentSchema(table.metadata)),
      fieldIds: fieldIdsOf(currentSchema(table.metadata)),
      partitionBy: [{ column: 'event_ts', transform: { kind: 'month' } }],
      sortBy: [],
      folder,
      fileBytes: 1e8,
    }),
  );
  if (written === undefined) throw new Error('the sample file was not written');
  return written;
}

async function expire(deps: StepDeps, commits: number): Promise<void> {
  const { tables, failed } = await expireTables(deps, { ...FORCED, keep: 1 });
  if (failed.length > 0) throw new Error(JSON.stringify(failed));
  const left = (await loadTable(deps.catalog, EVENTS))?.metadata.snapshots.length;
  if (left !== 1) throw new Error(`${left} snapshots are left of ${commits}: ${JSON.stringify(tables)}`);
}

async function leaveOrphans(deps: StepDeps, written: WrittenFile, count: number): Promise<number> {
  for (let n = 0; n < count; n += 1) {
    const path = `${written.path}.next`;
    await copyFile(written.path, path);
    await deps.store.publish(path, `${tablePrefix(EVENTS)}/data/orphan-${n}.parquet`);
  }
  return (await list(deps)).found;
}

async function vacuum(deps: StepDeps, before: number): Promise<void> {
  const { failed } = await vacuumTables(deps, FORCED);
  const { found } = await list(deps);
  if (failed.length > 0 || found * 2 > before)
    throw new Error(`${found} files are left of ${before}: ${JSON.stringify(failed)}`);
}
