import { join } from 'node:path';
import type { Bench, Measured } from '../bench.ts';
import type { Figure, Sample } from '../figures.ts';
import { compareFingerprints } from '../fingerprint.ts';
import { freshFolder, WORK } from '../folders.ts';
import { findHistoryPeers, type HistoryPeer } from '../peers/history.ts';
import { readFolder, readLake } from '../read-tables.ts';
import { ratioFigure } from '../rounds.ts';
import { makeEvents, PEOPLE, runPeople } from './people.ts';

const ROOT = join(WORK, 'history-lake');

/** What every side does, in this order: a first load, changes of 1 % all over the keys, and of 1 % side by side. */
const STEPS = ['first load', '1 % spread', '1 % clustered'] as const;
type Step = (typeof STEPS)[number];
type Samples = Readonly<Record<Step, Sample[]>>;

const DELTA_BOUNDS: Readonly<Record<Step, number | null>> = { 'first load': 2, '1 % spread': 1, '1 % clustered': null };
const CLUSTERED_BOUND = 0.3;
const PEAK_GB = 1;

/**
 * The history of a table as anyone would declare it, all settings by default, beside tools that keep no log of events and
 * trust the order in which changes come. Processor time counts: of whole processes, sides in turns.
 */
export async function measureHistory(bench: Bench): Promise<Measured> {
  const { found, skipped } = await findHistoryPeers();
  const inputs = await makeInputs(bench);
  const ours = emptySamples();
  const theirs = new Map(found.map((peer) => [peer, emptySamples()]));
  for (let round = 1; round <= bench.rounds; round += 1) {
    await freshFolder(ROOT);
    for (const step of STEPS) {
      ours[step].push(await runPeople(ROOT, step, inputs[step]));
      for (const [peer, samples] of theirs) samples[step].push(await runPeer(peer, step, inputs[step]));
      const sides = [['lake', ours] as const, ...[...theirs].map(([peer, samples]) => [peer.name, samples] as const)];
      const shown = sides.map(([name, samples]) => `${name} ${Math.round(samples[step].at(-1)?.cpuMs ?? 0)} ms`);
      bench.log(`history, ${step}, round ${round}: ${shown.join(', ')} of processor time`);
    }
    await compareRows(bench, found);
  }
  const title = `history of ${bench.sizes.history.toLocaleString('en-US')} keys`;
  const against = [...theirs].flatMap(([peer, samples]) => comparePeer(title, ours, peer, samples));
  const fingerprints = await readLake(bench.session, ROOT, 'people', [PEOPLE]);
  return { figures: [...against, clustered(title, ours), peak(title, ours)], fingerprints, skipped };
}

function emptySamples(): Samples {
  return { 'first load': [], '1 % spread': [], '1 % clustered': [] };
}

function comparePeer(title: string, ours: Samples, { name }: HistoryPeer, theirs: Samples): readonly Figure[] {
  return STEPS.map((step) => {
    const bound = name === 'delta-rs' ? DELTA_BOUNDS[step] : null;
    return ratioFigure(`${title}, ${step}, against ${name}: processor time`, cpu(ours[step]), cpu(theirs[step]), bound);
  });
}

function clustered(title: string, ours: Samples): Figure {
  const name = `${title}, 1 % clustered against 1 % spread: processor time`;
  return ratioFigure(name, cpu(ours['1 % clustered']), cpu(ours['1 % spread']), CLUSTERED_BOUND);
}

function peak(title: string, ours: Samples): Figure {
  const most = Math.max(...ours['first load'].map(({ peakBytes }) => peakBytes ?? 0));
  const detail = 'the largest of all rounds';
  return { name: `${title}, first load: peak memory`, value: most / 1e9, unit: 'GB', bound: PEAK_GB, detail };
}

function cpu(samples: readonly Sample[]): readonly number[] {
  return samples.map(({ cpuMs, ms }) => cpuMs ?? ms);
}

function runPeer(peer: HistoryPeer, step: Step, input: string): Promise<Sample> {
  return step === 'first load' ? peer.load(input) : peer.merge(input);
}

async function compareRows(bench: Bench, peers: readonly HistoryPeer[]): Promise<void> {
  const ours = await readLake(bench.session, ROOT, 'people', [PEOPLE]);
  for (const peer of peers) {
    const folder = await freshFolder(join(WORK, 'history-peer'));
    await peer.export(join(folder, `${PEOPLE.table}.parquet`));
    const problems = compareFingerprints(ours, await readFolder(bench.session, folder, [PEOPLE]));
    if (problems.length > 0) throw new Error(`${peer.name} made another history:\n${problems.join('\n')}`);
  }
}

async function makeInputs({ session, sizes: { history: keys } }: Bench): Promise<Readonly<Record<Step, string>>> {
  const make = (name: string, day: number, where: string): Promise<string> =>
    makeEvents(session, { keys, name, day, where });
  return {
    'first load': await make('first', 0, 'true'),
    '1 % spread': await make('spread', 100, 'hash(i) % 100 = 0'),
    '1 % clustered': await make('clustered', 200, `i < ${keys / 100}`),
  };
}
