import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { createDuckDbEngine } from '../lib/engine/duckdb.ts';
import type { Bench } from './bench.ts';
import { type Figure, judge } from './figures.ts';
import { WORK } from './folders.ts';
import { describeMachine } from './machine.ts';
import { MEASUREMENTS, type Measurement } from './measurements.ts';
import { installPeers, PEERS, readPackages } from './peers/environments.ts';
import { type Recorded, readNotes, readRecord, writeRecord } from './records.ts';
import { renderReport, renderTable, type Section } from './report.ts';
import { FULL, MEMORY_BYTES, QUICK, THREADS } from './settings.ts';

const USAGE = `node bench/run.ts [--quick] [--rounds N] [--peers] [--only ${Object.keys(MEASUREMENTS).join('|')}]...
  --quick   a tenth of all sizes; nothing is kept
  --peers   installs the tools that Strata is measured against, and measures them too
  --only    this measurement, or those; the others stay as they were measured last
  --render  measures nothing, and writes bench/results.md from what is kept`;
const RESULTS = new URL('results.md', import.meta.url);

type Options = { readonly quick: boolean; readonly rounds: number; readonly only: readonly string[] };

/**
 * Measures what is asked for, or all, prints the figures, keeps those of full sizes and writes bench/results.md of all that are kept. Ends
 * with 1 when sides made different tables; a missed bound is a result, not a failure.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: [] },
      peers: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
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
  if (values.peers) await installPeers(log);
  if (!values.render) await measureAll({ ...values, rounds });
  if (!values.quick) await writeResults();
}

async function measureAll({ quick, rounds, only }: Options): Promise<void> {
  await mkdir(WORK, { recursive: true });
  const session = await createDuckDbEngine().open({ memoryBytes: 2 * MEMORY_BYTES, threads: THREADS, scratch: WORK });
  const figures: Figure[] = [];
  try {
    const bench: Bench = { sizes: quick ? QUICK : FULL, rounds, session, log };
    for (const [name, { measure }] of Object.entries(MEASUREMENTS)) {
      if (only.length > 0 && !only.includes(name)) continue;
      const recorded = await recordOne(bench, measure);
      figures.push(...recorded.figures);
      if (!quick) await writeRecord(name, recorded);
    }
  } finally {
    await session[Symbol.asyncDispose]();
  }
  process.stdout.write(renderTable(figures));
  const missed = figures.filter((figure) => judge(figure).startsWith('missed'));
  process.stderr.write(missed.length === 0 ? 'every bound held\n' : `${missed.length} bounds missed\n`);
}

async function recordOne(bench: Bench, measure: Measurement['measure']): Promise<Recorded> {
  const [load = 0] = loadavg();
  const measured = await measure(bench);
  const date = new Date().toISOString().slice(0, 10);
  return { date, rounds: bench.rounds, load: Math.round(load * 10) / 10, machine: describeMachine(), ...measured };
}

async function writeResults(): Promise<void> {
  const sections: Section[] = [];
  for (const [name, { title }] of Object.entries(MEASUREMENTS)) {
    const recorded = await readRecord(name);
    sections.push({ name, title, notes: await readNotes(name), ...(recorded === undefined ? {} : { recorded }) });
  }
  await writeFile(RESULTS, renderReport({ sections, peers: PEERS, packages: await readPackages() }));
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
