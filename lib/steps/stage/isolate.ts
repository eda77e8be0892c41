import { EngineError } from '../../core/errors.ts';
import type { PoisonedRecord, ReadableFile } from '../../lake/batch/batch-files.ts';
import { engineReason } from '../../landing/data-fault.ts';

/** Takes some files through all of a unit's statements and publishes nothing. Throws EngineError where one fails. */
export type Trial = (files: readonly ReadableFile[]) => Promise<void>;

export type Trials = {
  readonly trial: Trial;
  /** Whether the machine does what it should. */
  readonly holds: () => Promise<boolean>;
  /** The file in a form of which parts are read at once, or as it is. */
  readonly number: (file: ReadableFile) => Promise<ReadableFile>;
};

/** By local path: why a file is not read at all, and which records of others are set aside. */
export type Isolated = {
  readonly broken: ReadonlyMap<string, string>;
  readonly poisoned: ReadonlyMap<string, readonly PoisonedRecord[]>;
};

/** Of how many records of one file it is found out one by one that the engine cannot take them; with more it is rejected. */
export const MOST_POISONED = 50;

/** Thrown where the machine fails at what is known to be good. */
export class MachineFault extends Error {}

/**
 * Bisects what made a statement fail: the files in halves, then the records of a file that fails alone. A file that
 * fails without any of its records is broken itself. Nothing is found where parts pass that fail only together. What is
 * found has failed twice, with a look at the machine (`holds`) in between. Throws MachineFault.
 */
export async function isolate(
  files: readonly ReadableFile[],
  records: ReadonlyMap<string, number>,
  { trial, holds, number }: Trials,
): Promise<Isolated> {
  const broken = new Map<string, string>();
  const poisoned = new Map<string, readonly PoisonedRecord[]>();
  const confirmed = async (some: readonly ReadableFile[]): Promise<string | undefined> => {
    if (!(await holds())) throw new MachineFault();
    return failure(trial, some);
  };
  const inFiles = async (some: readonly ReadableFile[]): Promise<void> => {
    const [only] = some;
    if (only === undefined || (await failure(trial, some)) === undefined) return;
    if (some.length === 1) return inFile(only);
    for (const half of halves(some)) await inFiles(half);
  };
  const inFile = async (file: ReadableFile): Promise<void> => {
    const none = { ...file, range: { from: 0, to: 0 } };
    const whole = (await failure(trial, [none])) === undefined ? undefined : await confirmed([none]);
    if (whole !== undefined) {
      broken.set(file.path, whole);
      return;
    }
    const found = await findRecords(await number(file), records.get(file.path) ?? 0, trial, confirmed);
    const [first] = found;
    if (found.length > MOST_POISONED && first !== undefined) broken.set(file.path, tooMany(first));
    else if (found.length > 0) poisoned.set(file.path, found);
  };
  await inFiles(files);
  return { broken, poisoned };
}

/** Numbers of the records of a file that fail alone, with why; one more than allowed ends the search. */
async function findRecords(
  file: ReadableFile,
  records: number,
  trial: Trial,
  confirmed: (some: readonly ReadableFile[]) => Promise<string | undefined>,
): Promise<readonly PoisonedRecord[]> {
  const found: PoisonedRecord[] = [];
  const search = async (from: number, to: number): Promise<void> => {
    const part = [{ ...file, range: { from, to } }];
    if (from >= to || found.length > MOST_POISONED || (await failure(trial, part)) === undefined) return;
    if (to - from === 1) {
      const reason = await confirmed(part);
      if (reason !== undefined) found.push({ nth: from, reason });
      return;
    }
    const middle = Math.floor((from + to) / 2);
    await search(from, middle);
    await search(middle, to);
  };
  await search(0, records);
  return found;
}

function tooMany(first: PoisonedRecord): string {
  return `the engine cannot take more than ${MOST_POISONED} of its records, the first of them record ${first.nth + 1}: ${first.reason}`;
}

async function failure(trial: Trial, files: readonly ReadableFile[]): Promise<string | undefined> {
  try {
    await trial(files);
    return undefined;
  } catch (cause) {
    if (cause instanceof EngineError) return engineReason(cause);
    throw cause;
  }
}

/** The first half of a list, and the rest. */
export function halves<T>(items: readonly T[]): readonly (readonly T[])[] {
  const half = Math.ceil(items.length / 2);
  return [items.slice(0, half), items.slice(half)];
}
