import { join } from 'node:path';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { runFolder } from '../../lib/lake/run/run-folder.ts';
import type { ObjectInfo, ObjectStore } from '../../lib/ports.ts';
import { openLocalLake, runPipeline } from '../../lib/runtime/local.ts';
import { maintainAfter } from '../../lib/runtime/maintain-after.ts';
import type { Bench, Measured } from '../bench.ts';
import { medianAround, type Sample } from '../figures.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';
import { compareWork } from '../rounds.ts';

const PIPELINE = 'hourly';
const HOUR_MS = 3_600_000;
const EARLY = 10;
const REACH = 4;
const TIME_BOUND = 1.3;
const FILES_BOUND = 50;
/** Counts have more digits later on. */
const BYTES_BOUND = 1.02;
const SILENT = { info: () => undefined, warn: () => undefined };

/**
 * A pipeline that runs every hour and takes one small file each time, with the maintenance that follows by itself: how long the
 * last run takes against the tenth, and what has gathered. Hours pass on a clock of its own, by which the store dates objects too.
 * STRATA_BENCH_RUNS says how many runs.
 */
export async function measureLife(bench: Bench): Promise<Measured> {
  const runs = Number(process.env['STRATA_BENCH_RUNS'] ?? bench.sizes.runs);
  // Code that has not run yet is slow, and the early runs would pay for it.
  await live(bench, EARLY + REACH);
  const { samples, maintenance, objects, folders, most, files } = await live(bench, runs);
  const times = samples.map(({ ms }) => ms);
  const spent = maintenance.reduce((sum, ms) => sum + ms, 0);
  const all = times.reduce((sum, ms) => sum + ms, 0);
  const gathered = [...objects].map(([run, count]) => `${count.toLocaleString('en-US')} after ${run} runs`).join(', ');
  const title = `${runs.toLocaleString('en-US')} hourly runs of one small file each, maintained`;
  return {
    figures: [
      ...compareWork(
        `${title}: the last run against the 10th`,
        [middleAround(samples, runs - REACH)],
        [middleAround(samples, EARLY)],
        TIME_BOUND,
      ),
      {
        name: `${title}: bytes that the last run leaves in its folder against the 10th`,
        value: (folders.get(runs) ?? Number.NaN) / (folders.get(EARLY) ?? Number.NaN),
        unit: 'x',
        bound: BYTES_BOUND,
        detail: `${folders.get(runs)} to ${folders.get(EARLY)} bytes`,
      },
      {
        name: `${title}: data files of a table, at most`,
        value: most,
        unit: 'files',
        bound: FILES_BOUND,
        detail: files,
      },
      {
        name: `${title}: objects in ops at the end`,
        value: objects.get(runs) ?? 0,
        unit: 'objects',
        bound: null,
        detail: gathered,
      },
      {
        name: `${title}: time of maintenance, of that of the runs`,
        value: (100 * spent) / all,
        unit: '%',
        bound: null,
        detail: `${maintenance.length} times, ${(spent / maintenance.length / 1_000).toFixed(2)} s each`,
      },
    ],
    fingerprints: [],
    skipped: [],
  };
}

function middleAround(samples: readonly Sample[], run: number): Sample {
  const of = (value: (sample: Sample) => number): number => medianAround(samples.map(value), run, REACH);
  return { ms: of(({ ms }) => ms), cpuMs: of(({ cpuMs }) => cpuMs ?? Number.NaN), peakBytes: null };
}

type Life = {
  /** What each run took, and milliseconds of each maintenance. */
  readonly samples: readonly Sample[];
  readonly maintenance: readonly number[];
  /** By run: objects in ops after it. */
  readonly objects: ReadonlyMap<number, number>;
  /** By run: bytes in its folder. */
  readonly folders: ReadonlyMap<number, number>;
  /** The most files that a table had after a run; and all tables at the end. */
  readonly most: number;
  readonly files: string;
};

async function live(bench: Bench, runs: number): Promise<Life> {
  const root = await freshFolder(join(WORK, 'life'));
  const lake = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  await lake.make();
  let hours = 0;
  const start = Date.now() - runs * HOUR_MS;
  const deps = onClock(lake.deps, () => start + hours * HOUR_MS);
  const [samples, maintenance, objects] = [[] as Sample[], [] as number[], new Map<number, number>()];
  const folders = new Map<number, number>();
  let most = 0;
  for (let run = 1; run <= runs; run += 1) {
    hours = run;
    await land(deps, run);
    const [started, used] = [performance.now(), process.cpuUsage()];
    const answer = await runPipeline(deps, { pipeline: PIPELINE });
    const { user, system } = process.cpuUsage(used);
    samples.push({ ms: performance.now() - started, cpuMs: (user + system) / 1000, peakBytes: null });
    if (answer.kind !== 'ended' || answer.result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(answer));
    if (run === EARLY || run === runs)
      folders.set(
        run,
        await bytesOf(deps.store, runFolder.root({ pipeline: PIPELINE, run_id: answer.result.run_id, dry_run: false })),
      );
    most = Math.max(most, ...Object.values(await filesOf(deps)));
    if (answer.due !== undefined) {
      const begun = performance.now();
      const { failed } = await maintainAfter(deps, { pipeline: PIPELINE }, answer.due);
      maintenance.push(performance.now() - begun);
      if (failed.length > 0) throw new Error(JSON.stringify(failed));
    }
    if (run % Math.ceil(runs / 10) === 0 || run === runs) {
      objects.set(run, await countObjects(deps.store));
      const { ms, cpuMs } = middleAround(samples, run - REACH);
      const took = `${ms.toFixed(0)} ms (${cpuMs?.toFixed(0)} of the processor)`;
      bench.log(`life, run ${run}: ${took}, ${objects.get(run)} objects in ops, ${most} files at most`);
    }
  }
  const files = Object.entries(await filesOf(deps)).map(([table, count]) => `${table} ${count}`);
  return { samples, maintenance, objects, folders, most, files: `at the end ${files.join(', ')}` };
}

async function land({ store }: StepDeps, run: number): Promise<void> {
  const rows = Array.from({ length: 50 }, (_, at) => `${run * 50 + at},2026-01-01 00:00:00,${at}.5`);
  const text = `id,at,value\n${rows.join('\n')}\n`;
  await store.write(`bronze/${PIPELINE}/readings/${run}.csv`, new TextEncoder().encode(text), { kind: 'any' });
}

async function filesOf({ catalog }: StepDeps): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const id of await catalog.list()) {
    const entry = await catalog.load(id);
    const current = entry && currentSnapshot(entry.metadata);
    if (current !== undefined) counts[`${id.layer}.${id.name}`] = Number(current.summary['total-data-files']);
  }
  return counts;
}

async function bytesOf(store: ObjectStore, folder: string): Promise<number> {
  let bytes = 0;
  for await (const { size } of store.list(`${folder}/`)) bytes += size;
  return bytes;
}

async function countObjects(store: ObjectStore): Promise<number> {
  let count = 0;
  for await (const _object of store.list('ops/')) count += 1;
  return count;
}

/** The same lake at another time, by which its objects are dated that are written from now on. */
function onClock(deps: StepDeps, now: () => number): StepDeps {
  const written = new Map<string, number>();
  const dated = (object: ObjectInfo): ObjectInfo => ({
    ...object,
    modified: written.get(object.key) ?? object.modified,
  });
  const { store: real } = deps;
  const store: ObjectStore = {
    ...real,
    async head(key, version) {
      const object = await real.head(key, version);
      return object && dated(object);
    },
    async *list(prefix, options) {
      for await (const object of real.list(prefix, options)) yield dated(object);
    },
    async write(key, bytes, condition) {
      const outcome = await real.write(key, bytes, condition);
      if (outcome.kind === 'written') written.set(key, now());
      return outcome;
    },
    async publish(path, key) {
      const object = await real.publish(path, key);
      if (!written.has(key)) written.set(key, now());
      return dated(object);
    },
    async remove(key) {
      await real.remove(key);
      written.delete(key);
    },
  };
  const codec = { parse: parseMetadata, render: renderMetadata };
  return { ...deps, store, catalog: createFileCatalog(store, codec), clock: { now: () => new Date(now()) } };
}
