import { fileURLToPath } from 'node:url';
import type { Bench, Measured } from '../bench.ts';
import { measureNode } from '../child.ts';
import { type Figure, median } from '../figures.ts';
import { WORK } from '../folders.ts';
import { ratioFigure } from '../rounds.ts';
import { makeOpeningLake } from './lake.ts';

const OPEN = fileURLToPath(new URL('open.ts', import.meta.url));
const RUN = fileURLToPath(new URL('run-events.ts', import.meta.url));
const NEW_FILES = 100;
const NAMED_GB = 0.512;
const ALL_GB = 1;
const FEW = 10_000;

/** `ms`: of finding new files alone. `bytes`: the peak of the whole process. */
type Opened = { readonly ms: number; readonly bytes: number };

/** What finding new files takes where a ledger is long: of files that events named, and of all of bronze. */
export async function measureOpening(bench: Bench): Promise<Measured> {
  const many = bench.sizes.ledgerFiles;
  const lakes = { few: await makeOpeningLake(FEW), many: await makeOpeningLake(many) };
  const rounds: Readonly<Record<'fewRun' | 'manyRun' | 'few' | 'many' | 'fewSpread' | 'spread' | 'all', Opened>>[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    const opened = {
      fewRun: await openOnce(lakes.few, FEW, 'run'),
      manyRun: await openOnce(lakes.many, many, 'run'),
      few: await openOnce(lakes.few, FEW, 'named'),
      many: await openOnce(lakes.many, many, 'named'),
      fewSpread: await openOnce(lakes.few, FEW, 'spread'),
      spread: await openOnce(lakes.many, many, 'spread'),
      all: await openOnce(lakes.many, many, 'all'),
    };
    rounds.push(opened);
    const shown = Object.entries(opened).map(
      ([name, { ms, bytes }]) => `${name} ${ms.toFixed(0)} ms, ${megabytes(bytes)}`,
    );
    bench.log(`opening, round ${round}: ${shown.join('; ')}`);
  }
  const [more, fewer] = [many, FEW].map((files) => files.toLocaleString('en-US'));
  const of = (name: keyof (typeof rounds)[number], part: keyof Opened): readonly number[] =>
    rounds.map((round) => round[name][part]);
  const memory = (name: string, which: 'many' | 'manyRun' | 'all', bound: number): Figure => {
    const detail = 'the whole process, the largest of all rounds';
    return { name, value: Math.max(...of(which, 'bytes')) / 1e9, unit: 'GB', bound, detail };
  };
  const ran = `a run of ${NEW_FILES} new files that events named, ${more} files in the ledger`;
  const named = `finding ${NEW_FILES} new files that are named, ${more} files in the ledger`;
  const all = `comparing ${more} names with the ledger`;
  return {
    figures: [
      ratioFigure(`${ran}: time against ${fewer}`, of('manyRun', 'ms'), of('fewRun', 'ms'), 2),
      memory(`${ran}: memory`, 'manyRun', NAMED_GB),
      ratioFigure(`${named}: time against ${fewer}`, of('many', 'ms'), of('few', 'ms'), null),
      ratioFigure(
        `${named}, of ${NEW_FILES} days: time against ${fewer}`,
        of('spread', 'ms'),
        of('fewSpread', 'ms'),
        null,
      ),
      memory(`${named}: memory`, 'many', NAMED_GB),
      { name: all, value: median(of('all', 'ms')) / 1_000, unit: 's', bound: null, detail: 'listing included' },
      memory(`${all}: memory`, 'all', ALL_GB),
    ],
    fingerprints: [],
    skipped: [],
  };
}

async function openOnce(lake: string, files: number, how: 'named' | 'spread' | 'all' | 'run'): Promise<Opened> {
  const work = how === 'run' ? [lake, String(files), String(NEW_FILES)] : [lake, String(files), how, String(NEW_FILES)];
  const { stdout, peakBytes } = await measureNode(how === 'run' ? RUN : OPEN, work, WORK);
  const { ms, found } = JSON.parse(stdout) as { readonly ms: number; readonly found: number };
  // What landed for one way is there for the others.
  const expected = how === 'all' ? found >= NEW_FILES : found === NEW_FILES;
  if (!expected) throw new Error(`opening ${lake}, ${how}: found ${found} new files; expected ${NEW_FILES}`);
  return { ms, bytes: peakBytes ?? Number.NaN };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
