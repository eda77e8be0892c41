import { type ObjectChange, objectName } from '../../core/objects.ts';
import type { LandedFile, LeftFile } from '../../core/run.ts';
import type { Borrowed, ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';

/** What came of reading landed files, and those that had to be left to the next run. */
export type LandedRead<T> = { readonly value: T; readonly left: readonly LeftFile[] };

/** How often files that change while they are read are read again before they are left. */
const ATTEMPTS = 3;

/**
 * Reads landed files as the run planned them, or not at all. A file that has another content by now is left to the next
 * run, for which it is new. One that changes while it is read spoils all that was made of the files together: `read` is
 * called again, with what is still as planned, and what it answered before is forgotten, errors included.
 * `borrowed` has a path for each of the files that `read` is given.
 */
export async function readLanded<T>(
  deps: Pick<StepDeps, 'log'> & { readonly store: Pick<ObjectStore, 'borrow'> },
  files: readonly LandedFile[],
  read: (present: readonly LandedFile[], borrowed: Borrowed) => Promise<T>,
): Promise<LandedRead<T>> {
  const left = new Map<string, LeftFile>();
  const leave = (changes: ReadonlyMap<string, ObjectChange>): void => {
    for (const file of files) {
      const change = changes.get(objectName(file));
      if (change === undefined) continue;
      left.set(objectName(file), leaveChanged(deps, file, change));
    }
  };
  for (let attempt = 1; ; attempt += 1) {
    const wanted = files.filter((file) => !left.has(objectName(file)));
    await using borrowed = await deps.store.borrow(wanted);
    leave(borrowed.changed);
    const present = wanted.filter((file) => !left.has(objectName(file)));
    const outcome = await settle(() => read(present, borrowed));
    const spoilt = await borrowed.verify();
    if (spoilt.size === 0) return { value: outcome(), left: [...left.values()] };
    if (attempt >= ATTEMPTS) leave(spoilt);
  }
}

export function leaveChanged({ log }: Pick<StepDeps, 'log'>, file: LandedFile, change: ObjectChange): LeftFile {
  const reason = REASONS[change];
  log.warn('a file is left to the next run', { key: file.key, reason });
  return { ...file, reason };
}

const REASONS: Readonly<Record<ObjectChange, string>> = {
  replaced: 'it was changed after the run was planned; the next run takes the new content',
  removed: 'it was removed after the run was planned',
  unreadable: 'it may no longer be read; the next run tries again',
};

/** An answer, or the error in its place, for later. */
async function settle<T>(act: () => Promise<T>): Promise<() => T> {
  try {
    const value = await act();
    return () => value;
  } catch (cause) {
    return () => {
      throw cause;
    };
  }
}
