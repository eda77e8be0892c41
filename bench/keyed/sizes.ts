import { join } from 'node:path';
import { quoteName, quoteText, quoteTexts } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import type { Bench, Measured } from '../bench.ts';
import type { Figure, Sample } from '../figures.ts';
import { compareFingerprints, type Fingerprint } from '../fingerprint.ts';
import { freshFolder, WORK } from '../folders.ts';
import { readFolder, readLake } from '../read-tables.ts';
import { peakOf, ratioFigure } from '../rounds.ts';
import { makeEvents, PEOPLE, runPeople } from './people.ts';

const ROOT = join(WORK, 'sizes-lake');

/** What happens to a history of each size, in this order. */
const STEPS = ['first load', '10,000 keys side by side', '10,000 keys all over'] as const;
type Step = (typeof STEPS)[number];
const CHANGED = 10_000;

/** Of a tenth, all and three times the keys: changes as dear as those of the smallest, within so much. */
const SIZES = [
  { times: 0.1, bound: null },
  { times: 1, bound: 1.2 },
  { times: 3, bound: 1.5 },
] as const;
const PEAK_GB = 1;

const WHY =
  'Keys that lie all over are in all files, each of which is written anew; a merge on read, which leaves them, is asked for by `writeMode`.';

/** As many changed keys in histories of three sizes, all settings by default; processor time of whole processes, sizes in turns. */
export async function measureSizes(bench: Bench): Promise<Measured> {
  const sizes = SIZES.map(({ times }) => Math.round(bench.sizes.history * times));
  const samples = sizes.map(
    (): Record<Step, Sample[]> => ({
      'first load': [],
      '10,000 keys side by side': [],
      '10,000 keys all over': [],
    }),
  );
  let fingerprints: readonly Fingerprint[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const [at, keys] of sizes.entries()) {
      const inputs = await makeInputs(bench, keys);
      await freshFolder(ROOT);
      for (const step of STEPS) {
        const sample = await runPeople(ROOT, step, inputs[step]);
        samples[at]?.[step].push(sample);
        bench.log(
          `history of ${showKeys(keys)}, ${step}, round ${round}: ${Math.round(sample.cpuMs ?? 0)} ms of processor time`,
        );
      }
      fingerprints = await readLake(bench.session, ROOT, 'people', [PEOPLE]);
      await compareRows(bench, fingerprints, Object.values(inputs));
    }
  }
  const figures = SIZES.flatMap(({ bound }, at): readonly Figure[] => {
    const [ours, least, title] = [samples[at], samples[0], showKeys(sizes[at] ?? 0)];
    if (ours === undefined || least === undefined) return [];
    const against = (step: Step, why?: string): Figure =>
      ratioFigure(
        `${step} of ${title}, against ${showKeys(sizes[0] ?? 0)}: processor time`,
        cpu(ours[step]),
        cpu(least[step]),
        bound,
        why,
      );
    const [, near, far] = STEPS;
    const changes = bound === null ? [] : [against(near), against(far, WHY)];
    return [
      ...changes,
      {
        name: `first load of ${title}: peak memory`,
        value: peakOf(ours['first load']) / 1e9,
        unit: 'GB',
        bound: PEAK_GB,
        detail: '',
      },
    ];
  });
  return { figures, fingerprints, skipped: [] };
}

async function makeInputs({ session }: Bench, keys: number): Promise<Readonly<Record<Step, string>>> {
  const make = (name: string, day: number, where: string): Promise<string> =>
    makeEvents(session, { keys, name, day, where });
  const first = Math.floor(keys / 2);
  return {
    'first load': await make('first', 0, 'true'),
    '10,000 keys side by side': await make('few-near', 300, `i >= ${first} AND i < ${first + CHANGED}`),
    '10,000 keys all over': await make('few-far', 400, `i % ${Math.floor(keys / CHANGED)} = 0`),
  };
}

/** Every event is a version of its own. */
async function compareRows({ session }: Bench, ours: readonly Fingerprint[], inputs: readonly string[]): Promise<void> {
  const folder = await freshFolder(join(WORK, 'sizes-expected'));
  const path = join(folder, `${PEOPLE.table}.parquet`);
  const rows = `SELECT id, since AS ${quoteName('valid_from')}, salary FROM read_parquet(${quoteTexts(inputs)})`;
  await session.run({ name: 'expected', text: userSql(`COPY (${rows}) TO ${quoteText(path)} (FORMAT parquet)`) });
  const problems = compareFingerprints(ours, await readFolder(session, folder, [PEOPLE]));
  if (problems.length > 0) throw new Error(`a history has other rows than its events:\n${problems.join('\n')}`);
}

function cpu(samples: readonly Sample[]): readonly number[] {
  return samples.map(({ cpuMs, ms }) => cpuMs ?? ms);
}

function showKeys(keys: number): string {
  return `${keys.toLocaleString('en-US')} keys`;
}
