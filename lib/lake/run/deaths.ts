import { createHash } from 'node:crypto';
import { EngineError } from '../../core/errors.ts';
import type { LandedFile } from '../../core/run.ts';
import { requireAlone } from '../../core/turns.ts';
import type { StepDeps } from '../deps.ts';
import { readJson } from './run-folder.ts';

/** What ended this often without an answer is not tried again. */
export const MOST_DEATHS = 3;

/** What a mark says: the boot of the machine that the worker was on, '' where that is not known. */
type Mark = { readonly boot: string };

/**
 * Acts under a mark that is there while it works, and taken away when it ends in any way that it notices: an answer, an
 * error, an interrupt. Three marks left behind are workers that ended without a word: undefined, and nothing is done.
 * Throws NotAlone where a worker has ended and others would be at work beside this one: one end is counted for all of them.
 */
export async function underMark<T>(
  deps: StepDeps,
  keyOf: (attempt: number) => string,
  act: () => Promise<T>,
): Promise<T | undefined> {
  const mark: Mark = { boot: deps.settings.boot ?? '' };
  const bytes = new TextEncoder().encode(JSON.stringify(mark));
  for (let attempt = 1; attempt <= MOST_DEATHS; attempt += 1) {
    const key = keyOf(attempt);
    const marked = await deps.store.write(key, bytes, { kind: 'absent' });
    if (marked.kind === 'conflict') {
      if (await isDeath(deps, key, mark)) {
        requireAlone(deps.turns, 'a worker that may end is to be alone');
        continue;
      }
      await deps.store.write(key, bytes, { kind: 'any' });
    }
    return whileMarked(deps, key, act);
  }
  return undefined;
}

/** A machine that was started anew, or left for another, took the worker with it: that says nothing about its work. */
async function isDeath(deps: StepDeps, key: string, mine: Mark): Promise<boolean> {
  const left = await readJson<Partial<Mark>>(deps.store, key).catch(() => undefined);
  const boot = left?.boot ?? '';
  return boot === '' || mine.boot === '' || boot === mine.boot;
}

async function whileMarked<T>(deps: StepDeps, key: string, act: () => Promise<T>): Promise<T> {
  // At once, since a second signal ends the process whatever it is doing.
  const unmark = (): void => void deps.store.remove(key).catch(() => {});
  deps.interrupted?.addEventListener('abort', unmark);
  try {
    deps.interrupted?.throwIfAborted();
    return await act();
  } finally {
    deps.interrupted?.removeEventListener('abort', unmark);
    await deps.store.remove(key);
  }
}

/** The same for work that no file is to blame for: its end is the run's. Throws EngineError. */
export async function underMarkOrFail<T>(
  deps: StepDeps,
  what: string,
  keyOf: (attempt: number) => string,
  act: () => Promise<T>,
): Promise<T> {
  const done = await underMark(deps, keyOf, act);
  if (done !== undefined) return done;
  throw new EngineError(
    `${what}: a worker has ended ${MOST_DEATHS} times at it without an answer, as one does that has too little memory or time; ` +
      'nothing is published and nothing is lost. Give it more memory (--memory, compute.steps.<Step>.memory) or less work at once (settings.unitBytes), and run again',
  );
}

/** Where the deaths of workers that were alone with a file are kept, from run to run. */
function deathsFolder(pipeline: string): string {
  return `ops/${pipeline}/_deaths/`;
}

function nameOf(file: LandedFile): string {
  const text = `${file.etag}\n${file.version ?? ''}\n${file.key}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}

/** A worker of one model may die of a file that another's takes well, so each counts its own. */
export type Alone = { readonly pipeline: string; readonly model: string; readonly file: LandedFile };

export function aloneMark({ pipeline, model, file }: Alone, attempt: number): string {
  return `${deathsFolder(pipeline)}${nameOf(file)}-${attempt}-${ownerOf(model, file)}`;
}

/** Parts of a file are taken by workers of their own, each of which counts its deaths. */
function ownerOf(model: string, { piece }: LandedFile): string {
  return piece === undefined ? model : `${model}${PART}${piece.from}`;
}

/** No name of a model has it. */
const PART = '@';

/** Of some files those that an earlier worker of the model was alone with when it ended. */
export async function findSuspects(
  deps: StepDeps,
  { pipeline, model }: Omit<Alone, 'file'>,
  files: readonly LandedFile[],
): Promise<readonly LandedFile[]> {
  const folder = deathsFolder(pipeline);
  const own = new Set<string>();
  for await (const { key } of deps.store.list(folder)) {
    const [name = '', , ...owner] = key.slice(folder.length).split('-');
    if (owner.join('-').split(PART)[0] === model) own.add(`${name}-${owner.join('-')}`);
  }
  return own.size === 0 ? [] : files.filter((file) => own.has(`${nameOf(file)}-${ownerOf(model, file)}`));
}

/** A worker of the model has lived through the file, or the ledger remembers it: its count begins anew. */
export async function forgiveFile(deps: StepDeps, alone: Alone): Promise<void> {
  if (alone.file.piece === undefined) await forgiveParts(deps, alone);
  // The last first: what is left after a crash on the way counts for less, never for more.
  for (let attempt = MOST_DEATHS; attempt >= 1; attempt -= 1) await deps.store.remove(aloneMark(alone, attempt));
}

async function forgiveParts({ store }: StepDeps, { pipeline, model, file }: Alone): Promise<void> {
  const marks: string[] = [];
  for await (const { key } of store.list(`${deathsFolder(pipeline)}${nameOf(file)}-`)) {
    if (key.includes(`-${model}${PART}`)) marks.push(key);
  }
  for (const key of marks.reverse()) await store.remove(key);
}
