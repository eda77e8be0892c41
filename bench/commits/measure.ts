import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_RULES } from '../../lib/core/maintenance-rules.ts';
import type { TableId } from '../../lib/core/tables.ts';
import { tablePrefix } from '../../lib/core/tables.ts';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { createTable, type NewTable } from '../../lib/iceberg/changes.ts';
import { currentSpec } from '../../lib/iceberg/partition.ts';
import { currentSchema } from '../../lib/iceberg/schema.ts';
import { dataFileOf } from '../../lib/iceberg/stats.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { expireTable } from '../../lib/lake/maintain/expire-table.ts';
import type { WrittenFile } from '../../lib/ports.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { writeTable } from '../../lib/sql/write.ts';
import { commitChange } from '../../lib/table/commit.ts';
import { prepareSnapshot } from '../../lib/table/prepare.ts';
import { loadTable } from '../../lib/table/read.ts';
import type { Bench, Measured } from '../bench.ts';
import { median, type Sample } from '../figures.ts';
import { freshFolder, WORK } from '../folders.ts';
import { compareTimes } from '../rounds.ts';

const BOUND = 1.5;
const WHY =
  'A metadata file names every snapshot the table keeps, 650 bytes each, and a commit writes it anew. Expiring snapshots ends the growth.';
const MAINTAINED_BOUND = 1.2;
const WHY_MAINTAINED =
  'A table keeps the snapshots of a week, 168 of a pipeline that runs every hour, and up to 20 more between two expiries.';
const HOUR_MS = 3_600_000;
const EARLY = 5;
const REACH = 2;
/** New tables whose commits are held against as many of the one that has grown. */
const TABLES = 12;
const COLUMNS = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'name', type: { kind: 'string' } },
] as const;
const SILENT = { info: () => undefined, warn: () => undefined };

/** What one more commit takes for a table with few snapshots and with many, by medians of commits that are made in turns. */
export async function measureCommits(bench: Bench): Promise<Measured> {
  const late = bench.sizes.commits - REACH;
  // Code that has not run yet is slow, and the early commits would pay for it.
  const first = await openTable(bench, 'first');
  for (let n = 1; n <= 2 * EARLY; n += 1) await first.commit();
  const plain = await sides(bench, late, 'commits');
  const kept = await sides(bench, late, 'the same, maintained', maintainEvery);
  const title = `commit ${late} of a table`;
  return {
    figures: [
      ...compareTimes(`${title}, against the 5th`, plain.late, plain.early, BOUND, WHY),
      ...compareTimes(
        `${title}, hourly, maintained, against the 5th`,
        kept.late,
        kept.early,
        MAINTAINED_BOUND,
        WHY_MAINTAINED,
      ),
    ],
    fingerprints: [],
    skipped: [],
  };
}

type Sides = { readonly early: readonly Sample[]; readonly late: readonly Sample[] };

async function sides(bench: Bench, late: number, title: string, after?: After): Promise<Sides> {
  const [fifth, last]: [Sample[], Sample[]] = [[], []];
  for (let round = 1; round <= bench.rounds; round += 1) {
    const [early, end] = await inTurns(bench, late, after);
    fifth.push(early);
    last.push(end);
    bench.log(
      `${title}, round ${round}: the 5th ${early.ms.toFixed(1)} ms (${early.cpuMs?.toFixed(1)} of the processor), ` +
        `the ${late}th ${end.ms.toFixed(1)} ms (${end.cpuMs?.toFixed(1)})`,
    );
  }
  return { early: fifth, late: last };
}

/** Each commit around the 5th of several new tables is followed by one around the late one, so that whatever else works weighs on both. */
async function inTurns(bench: Bench, late: number, after: After | undefined): Promise<readonly [Sample, Sample]> {
  const grown = await openTable(bench, 'grown', after);
  const around = 2 * REACH + 1;
  for (let n = 1; n < late - (TABLES * around) / 2; n += 1) await grown.commit();
  const [early, end]: [Times[], Times[]] = [[], []];
  for (let table = 1; table <= TABLES; table += 1) {
    const fresh = await openTable(bench, 'fresh');
    for (let n = 1; n < EARLY - REACH; n += 1) await fresh.commit();
    for (let n = 0; n < around; n += 1) {
      early.push(await fresh.commit());
      end.push(await grown.commit());
    }
  }
  return [middleOf(early), middleOf(end)];
}

function middleOf(times: readonly Times[]): Sample {
  return { ms: median(times.map(({ ms }) => ms)), cpuMs: median(times.map(({ cpuMs }) => cpuMs)), peakBytes: null };
}

type After = (deps: StepDeps, id: TableId, n: number) => Promise<void>;

/** Milliseconds, by the clock and of the processor. */
type Times = { readonly ms: number; readonly cpuMs: number };

/** A new table in a lake of its own. Each commit adds one small data file, an hour after the one before. */
async function openTable(
  bench: Bench,
  name: string,
  after: After = async () => undefined,
): Promise<{ commit(): Promise<Times> }> {
  const root = await freshFolder(join(WORK, 'commits', name));
  const { deps: real } = await openLocalLake({ root, pipelines: root, log: SILENT });
  const start = Date.now() - bench.sizes.commits * HOUR_MS;
  let n = 0;
  const deps = { ...real, clock: { now: () => new Date(start + n * HOUR_MS) } };
  const written = await writeSample(bench, join(root, 'sample'));
  const id: TableId = { pipeline: 'bench', layer: 'silver', name: 'commits' };
  return {
    async commit() {
      n += 1;
      const copy = join(root, 'next.parquet');
      await copyFile(written.path, copy);
      const [started, used] = [performance.now(), process.cpuUsage()];
      await commitFile(deps, id, copy, written, n);
      const { user, system } = process.cpuUsage(used);
      const times = { ms: performance.now() - started, cpuMs: (user + system) / 1000 };
      await after(deps, id, n);
      return times;
    },
  };
}

/** As maintenance does by itself every 20 runs: manifests become one, as by a compaction, and what was replaced a week ago goes. */
async function maintainEvery(deps: StepDeps, id: TableId, n: number): Promise<void> {
  if (n % DEFAULT_RULES.everyRuns !== 0) return;
  const merged = await prepareSnapshot(deps.store, {
    base: await loadTable(deps.catalog, id),
    added: [],
    remove: { kind: 'nothing' },
    rewrite: true,
    mergeAll: true,
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: {},
  });
  await commitChange(deps, id, merged);
  const before = deps.clock.now().getTime() - DEFAULT_RULES.olderThanMs;
  const asked = { before, keep: DEFAULT_RULES.keep, runs: new Set<string>() };
  const needs = {
    bases: new Set<bigint>(),
    locations: new Set<string>(),
    runs: new Set<string>(),
    since: Number.POSITIVE_INFINITY,
  };
  await expireTable(deps, id, asked, needs, { pipeline: id.pipeline, id: `expiry-${n}` });
}

async function writeSample(bench: Bench, folder: string): Promise<WrittenFile> {
  const [written] = await bench.session.copy(
    writeTable({
      name: 'sample file',
      from: sql`(SELECT i AS id, 'row ' || i AS name FROM range(100) AS rows(i))`,
      columns: COLUMNS,
      fieldIds: COLUMNS.map(({ name }, at) => ({ name, id: at + 1, children: [] })),
      partitionBy: [],
      sortBy: [],
      folder,
      fileBytes: 1e8,
    }),
  );
  if (written === undefined) throw new Error('the sample file was not written');
  return written;
}

/** Publishes the file, prepares a snapshot of it and commits that: all that a run does for a table beyond its rows. */
async function commitFile(deps: StepDeps, id: TableId, path: string, written: WrittenFile, n: number): Promise<void> {
  const { store } = deps;
  const key = `${tablePrefix(id)}/data/${n}.parquet`;
  await store.publish(path, key);
  const base = await loadTable(deps.catalog, id);
  const create: NewTable = {
    uuid: deps.ids.uuid(),
    location: store.location(tablePrefix(id)),
    columns: COLUMNS,
    partitionBy: [],
    sortBy: [],
    properties: {},
  };
  const table = base?.metadata ?? applyChange(createTable(create), undefined, 0);
  const shape = { schema: currentSchema(table), spec: currentSpec(table) };
  const prepared = await prepareSnapshot(store, {
    base,
    ...(base === undefined ? { create } : {}),
    added: [dataFileOf({ written, ...shape, location: store.location(key), partition: [] })],
    remove: { kind: 'nothing' },
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { 'strata.run_id': `run-${n}` },
  });
  await commitChange(deps, id, prepared);
}
