import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TableDiff } from '../../lib/query/diff/diff-tables.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { planFiles } from '../../lib/table/read.ts';
import type { Bench, Measured } from '../bench.ts';
import { measureNode } from '../child.ts';
import type { Sample } from '../figures.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';
import { compareWork, peakFigure, peakOf } from '../rounds.ts';
import { MEMORY_BYTES } from '../settings.ts';

const ROOT = join(WORK, 'diff');
const STRATA = fileURLToPath(new URL('../../bin/strata.ts', import.meta.url));
const COMPARE = fileURLToPath(new URL('compare.ts', import.meta.url));
const FLOOR = fileURLToPath(new URL('floor.ts', import.meta.url));
const BOUND = 1.5;
const SILENT = { info: () => undefined, warn: () => undefined };
/** A quarter of what the sides have: both spill. */
const LITTLE = MEMORY_BYTES / 4;

type Counts = Pick<TableDiff['rows'], 'added' | 'removed' | 'changed'>;

/**
 * Compares two tables by key, of which a hundredth of the rows have changed and a thousandth are in one alone, beside a join
 * that only counts these. Throws Error where the counts are not the same.
 */
export async function measureDiff(bench: Bench): Promise<Measured> {
  await freshFolder(ROOT);
  await makeTables(bench);
  const [was, now] = [await filesOf('was'), await filesOf('now')];
  const sides: Record<'ours' | 'floor' | 'little', Sample[]> = { ours: [], floor: [], little: [] };
  for (let round = 1; round <= bench.rounds; round += 1) {
    const ours = await compare(MEMORY_BYTES);
    const floor = await measureNode(FLOOR, [WORK, JSON.stringify(was), JSON.stringify(now)], WORK);
    assertSame(ours.counts, JSON.parse(floor.stdout) as Counts);
    const little = await compare(LITTLE);
    assertSame(ours.counts, little.counts);
    sides.ours.push(ours.sample);
    sides.floor.push(floor);
    sides.little.push(little.sample);
    const seconds = Object.entries(sides).map(
      ([name, all]) => `${name} ${((all.at(-1)?.cpuMs ?? 0) / 1000).toFixed(2)} s`,
    );
    bench.log(`diff, round ${round}: ${seconds.join(', ')} of processor time`);
  }
  const rows = bench.sizes.history.toLocaleString('en-US');
  const title = `diff of ${rows} rows and as many, a hundredth changed`;
  const peak = `the floor: ${(peakOf(sides.floor) / 1e9).toFixed(2)} GB; DuckDB has 2 GB`;
  return {
    figures: [
      ...compareWork(`${title}, against a full join that counts`, sides.ours, sides.floor, BOUND),
      peakFigure(title, sides.ours, 2.5, peak),
      ...compareWork(
        `${title}, with a quarter of the memory, against such a join with all of it`,
        sides.little,
        sides.floor,
        null,
      ),
      peakFigure(`${title}, with a quarter of the memory`, sides.little, 1, 'DuckDB has 0.5 GB, and spills'),
    ],
    fingerprints: [],
    skipped: [],
  };
}

async function makeTables(bench: Bench): Promise<void> {
  const rows = bench.sizes.history;
  const amount = '(i * 7919) % 100000';
  const sides = [
    ['was', 'i', amount, 'true'],
    [
      'now',
      `CASE WHEN i % 1000 = 1 THEN i + ${10 * rows} ELSE i END`,
      `${amount} + CASE WHEN i % 100 = 0 THEN 1 ELSE 0 END`,
      'i % 1000 <> 0',
    ],
  ] as const;
  for (const [name, id, cents, where] of sides) {
    const folder = join(ROOT, 'bronze', 'twins', name);
    await mkdir(folder, { recursive: true });
    const select = `SELECT ${id} AS id, (i * 2654435761) % 500000 AS customer_id, CAST((i * 40503) % 1000 AS INTEGER) AS product_id,
  CAST(i % 20 + 1 AS INTEGER) AS quantity, CAST((${cents}) / 100 AS DECIMAL(12,2)) AS amount, 'city ' || (i % 700) AS city,
  DATE '2020-01-01' + CAST(i % 1500 AS INTEGER) AS day, TIMESTAMP '2020-01-01' + to_seconds(i) AS at FROM range(${rows}) t(i) WHERE ${where}`;
    const text = `COPY (${select}) TO ${quoteText(join(folder, 'rows.parquet'))} (FORMAT parquet)`;
    await bench.session.run({ name: 'rows', text: userSql(text) });
  }
  await measureNode(STRATA, ['run', 'twins', '--root', ROOT, '--pipelines', BENCH_PIPELINES], WORK);
}

async function filesOf(name: 'was' | 'now'): Promise<readonly string[]> {
  const { deps } = await openLocalLake({ root: ROOT, pipelines: BENCH_PIPELINES, readOnly: true, log: SILENT });
  const entry = await deps.catalog.load({ pipeline: 'twins', layer: 'silver', name });
  if (entry === undefined) throw new Error(`the run made no table ${name}`);
  return (await planFiles(deps.store, entry.metadata)).map(({ path }) => fileURLToPath(path));
}

async function compare(memory: number): Promise<{ readonly sample: Sample; readonly counts: Counts }> {
  const tables = ['twins_silver.was', 'twins_silver.now', '--key', 'id'];
  const lake = ['--root', ROOT, '--pipelines', BENCH_PIPELINES, '--memory', `${memory / 1e6}MB`, '--json'];
  const { stdout, ...sample } = await measureNode(COMPARE, ['diff', ...tables, ...lake], WORK);
  return { sample, counts: (JSON.parse(stdout) as TableDiff).rows };
}

function assertSame(ours: Counts, other: Counts): void {
  for (const name of ['added', 'removed', 'changed'] as const) {
    if (Number(ours[name]) !== Number(other[name]) || Number(ours[name]) === 0) {
      throw new Error(`rows that are ${name}: got ${ours[name]}; expected ${other[name]}`);
    }
  }
}
