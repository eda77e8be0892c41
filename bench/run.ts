import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createDuckDbEngine } from '../lib/engine/duckdb.ts';
import type { Bench, Measured } from './bench.ts';
import { measureClicks } from './clicks/measure.ts';
import { measureCommand } from './command/measure.ts';
import { measureCommits } from './commits/measure.ts';
import { measureCompaction } from './compaction/measure.ts';
import { measureDiff } from './diff/measure.ts';
import { measureEvents, measureGrowth } from './events/measure.ts';
import { measureFacts } from './facts/measure.ts';
import { judge } from './figures.ts';
import { WORK } from './folders.ts';
import { measureForgetting } from './forgetting/measure.ts';
import { measureIdle } from './idle/measure.ts';
import { measureIncrement } from './increment/measure.ts';
import { measureHistory } from './keyed/history.ts';
import { measureKeyed } from './keyed/measure.ts';
import { measureLadder } from './ladder/measure.ts';
import { measureLarge } from './large/measure.ts';
import { measureLife } from './life/measure.ts';
import { describeMachine } from './machine.ts';
import { measureOnRead } from './on-read/measure.ts';
import { measureOpening } from './opening/measure.ts';
import { measureDedupe } from './orders/dedupe.ts';
import { measureFilter } from './orders/filter.ts';
import { measurePlanning } from './planning/measure.ts';
import { measureReads } from './reads/measure.ts';
import { renderReport, renderTable } from './report.ts';
import { measureRetail } from './retail/measure.ts';
import { measureSales } from './sales/measure.ts';
import { measureServing } from './serving/measure.ts';
import { FULL, MEMORY_BYTES, QUICK, THREADS } from './settings.ts';
import { measureStatus } from './status/measure.ts';
import { measureTopics } from './topics/measure.ts';

const MEASUREMENTS = {
  retail: measureRetail,
  sales: measureSales,
  events: measureEvents,
  growth: measureGrowth,
  clicks: measureClicks,
  commits: measureCommits,
  planning: measurePlanning,
  large: measureLarge,
  opening: measureOpening,
  keyed: measureKeyed,
  history: measureHistory,
  'on-read': measureOnRead,
  compaction: measureCompaction,
  forgetting: measureForgetting,
  life: measureLife,
  dedupe: measureDedupe,
  filter: measureFilter,
  reads: measureReads,
  idle: measureIdle,
  command: measureCommand,
  status: measureStatus,
  increment: measureIncrement,
  facts: measureFacts,
  serving: measureServing,
  diff: measureDiff,
  ladder: measureLadder,
  topics: measureTopics,
} as const satisfies Record<string, (bench: Bench) => Promise<Measured>>;

const USAGE = `node bench/run.ts [--quick] [--rounds N] [--only ${Object.keys(MEASUREMENTS).join('|')}]...`;
const RESULTS = new URL('results.md', import.meta.url);

/**
 * Measures everything, prints the figures and writes bench/results.md when everything was measured at full size. Ends
 * with 1 when sides made different tables; a missed bound is a result, not a failure.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  const unknown = values.only.find((name) => !(name in MEASUREMENTS));
  if (values.help || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
    process.stderr.write(`${USAGE}\n`);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  await mkdir(WORK, { recursive: true });
  const measured = await measureAll(values.quick, rounds, values.only);
  const figures = measured.flatMap((one) => one.figures);
  process.stdout.write(renderTable(figures));
  const missed = figures.filter((figure) => judge(figure).startsWith('missed'));
  process.stderr.write(missed.length === 0 ? 'every bound held\n' : `${missed.length} bounds missed\n`);
  if (values.quick || values.only.length > 0) return;
  const report = renderReport({
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    rounds,
    quick: values.quick,
    figures,
    fingerprints: measured.flatMap((one) => one.fingerprints),
    skipped: measured.flatMap((one) => one.skipped),
  });
  await writeFile(RESULTS, report);
}

async function measureAll(quick: boolean, rounds: number, only: readonly string[]): Promise<readonly Measured[]> {
  const session = await createDuckDbEngine().open({ memoryBytes: 2 * MEMORY_BYTES, threads: THREADS, scratch: WORK });
  try {
    const log = (line: string): void => void process.stderr.write(`${line}\n`);
    const bench: Bench = { sizes: quick ? QUICK : FULL, rounds, session, log };
    const measured: Measured[] = [];
    for (const [name, measure] of Object.entries(MEASUREMENTS)) {
      if (only.length === 0 || only.includes(name)) measured.push(await measure(bench));
    }
    return measured;
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

await main();
