import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { queryRows } from '../../lib/query/select.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import type { Bench, Measured } from '../bench.ts';
import { measureNode } from '../child.ts';
import { type Figure, median, type Sample } from '../figures.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';
import { compareTimes } from '../rounds.ts';

const ROOT = join(WORK, 'on-read');
const MERGE_RUN = fileURLToPath(new URL('../keyed/merge-run.ts', import.meta.url));
const STRATA = fileURLToPath(new URL('../../bin/strata.ts', import.meta.url));
const SIDES = ['spread_on_read', 'spread'] as const;
const TOTALS = 'count(*) AS rows, count(valid_to) AS closed, sum(salary) AS salary, sum(id) AS ids';
const SILENT = { info: () => undefined, warn: () => undefined };

type Round = Sample & { readonly bytes: number };

/**
 * Every hundredth key of a table changes, in all of its buckets: by files of deleted rows, and by writing the buckets anew. Then
 * a query reads both tables, the one with all that the rounds have left beside its files. Throws Error where their rows differ.
 */
export async function measureOnRead(bench: Bench): Promise<Measured> {
  await freshFolder(ROOT);
  const keys = bench.sizes.history / 4;
  await landEvents(bench, 0, keys, 'true');
  for (const side of SIDES) await runOf(side);
  const rounds: Record<(typeof SIDES)[number], Round[]> = { spread_on_read: [], spread: [] };
  for (let round = 1; round <= bench.rounds; round += 1) {
    await landEvents(bench, round, keys, `hash(i, ${round}) % 100 = 0`);
    for (const side of SIDES) {
      const before = await bytesOf(side);
      const sample = await runOf(side);
      rounds[side].push({ ...sample, bytes: (await bytesOf(side)) - before });
      const cpu = ((sample.cpuMs ?? 0) / 1000).toFixed(2);
      bench.log(`on read, round ${round}: ${side} ${cpu} s of processor time, ${rounds[side].at(-1)?.bytes} bytes`);
    }
  }
  await assertEqual();
  const title = `1 % of ${keys.toLocaleString('en-US')} keys, in all buckets, merged on read against written anew`;
  const reads: Record<(typeof SIDES)[number], Sample[]> = { spread_on_read: [], spread: [] };
  for (let round = 1; round <= bench.rounds; round += 1) for (const side of SIDES) reads[side].push(await read(side));
  return {
    figures: [
      ...compareTimes(title, rounds.spread_on_read, rounds.spread, null),
      bytesFigure(title, rounds.spread_on_read, rounds.spread),
      ...compareTimes(
        `a query over all of it, after ${bench.rounds} such merges`,
        reads.spread_on_read,
        reads.spread,
        null,
      ),
    ],
    fingerprints: [],
    skipped: [],
  };
}

async function landEvents(bench: Bench, day: number, keys: number, where: string): Promise<void> {
  const path = join(ROOT, `day-${day}.parquet`);
  const select = `SELECT i AS id, DATE '2000-01-01' + ${day} AS since, 'title ' || (hash(i, ${day}) % 50) AS title,
  CAST(20000 + ${day} * 7 + hash(i) % 5 AS INTEGER) AS salary, 'note ' || i AS note FROM range(${keys}) t(i) WHERE ${where}`;
  await bench.session.run({ name: 'events', text: userSql(`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet)`) });
  for (const side of SIDES) {
    const folder = join(ROOT, 'bronze', side, 'events');
    await mkdir(folder, { recursive: true });
    await copyFile(path, join(folder, `day-${day}.parquet`));
  }
}

async function runOf(side: string): Promise<Sample> {
  const { stdout: _stdout, ...sample } = await measureNode(MERGE_RUN, [ROOT, BENCH_PIPELINES, side], WORK);
  return sample;
}

async function read(side: string): Promise<Sample> {
  const args = [
    'query',
    `SELECT ${TOTALS} FROM ${side}_silver.history`,
    '--root',
    ROOT,
    '--pipelines',
    BENCH_PIPELINES,
  ];
  const { stdout: _stdout, ...sample } = await measureNode(STRATA, args, WORK);
  return sample;
}

async function assertEqual(): Promise<void> {
  const { deps } = await openLocalLake({ root: ROOT, pipelines: BENCH_PIPELINES, readOnly: true, log: SILENT });
  const [onRead, anew] = await Promise.all(
    SIDES.map(async (side) =>
      String(Object.values((await queryRows(deps, `SELECT ${TOTALS} FROM ${side}_silver.history`))[0] ?? {})),
    ),
  );
  if (onRead !== anew || onRead === '')
    throw new Error(`the tables differ: ${onRead} merged on read, ${anew} written anew`);
}

/** Of all files of the table and its log, whatever their age. */
async function bytesOf(side: string): Promise<number> {
  const folder = join(ROOT, 'silver', side);
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => stat(join(folder, name))));
  return sizes.reduce((sum, one) => sum + (one.isFile() ? one.size : 0), 0);
}

function bytesFigure(title: string, onRead: readonly Round[], anew: readonly Round[]): Figure {
  const [ours, theirs] = [onRead, anew].map((rounds) => median(rounds.map(({ bytes }) => bytes)));
  const megabytes = (bytes = 0): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return {
    name: `${title}: bytes written`,
    value: (ours ?? 0) / (theirs ?? 1),
    unit: 'x',
    bound: null,
    detail: `${megabytes(ours)} to ${megabytes(theirs)}`,
  };
}
