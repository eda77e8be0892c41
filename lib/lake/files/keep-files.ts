import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectName } from '../../core/objects.ts';
import type { LandedFile, LeftFile, RunPlan } from '../../core/run.ts';
import type { Borrowed, ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { readJson, runFolder, writeOnce } from '../run/run-folder.ts';
import { pathOf } from '../tables/foreign-files.ts';
import { readLanded } from './read-landed.ts';
import { openScratch } from './scratch.ts';

/** Copies of a source's files that a run reads in their place, by the files' names, and what was left before they were made. */
export type KeptFiles = {
  readonly copies: Readonly<Record<string, string>>;
  readonly left: readonly LeftFile[];
};

/** Of a file's name, what the name of its copy keeps: formats and compressions are told by the end of a name. */
const NAME_LENGTH = 60;

/**
 * Copies the files of a source that several models read, so that all of them read the same ones though a file may change
 * between them. Answers the key of the list of copies; `undefined` where one model reads the source, or where the store
 * keeps what is overwritten. Repeating it finds the first list. A file system that can shares the bytes of a copy.
 */
export async function keepFiles(
  deps: StepDeps,
  plan: RunPlan,
  source: string,
  files: readonly LandedFile[],
): Promise<string | undefined> {
  const readers = plan.spec.models.filter((model) => model.layer === 'silver' && model.from === source);
  if (readers.length < 2 || files.every((file) => file.version !== undefined)) return undefined;
  const key = runFolder.kept(plan.run, source);
  if ((await deps.store.head(key)) !== undefined) return key;
  const { value: copies, left } = await readLanded(deps, files, async (present, borrowed) => {
    await using scratch = await openScratch(deps, 'kept');
    const made: Record<string, string> = {};
    for (const [at, file] of present.entries()) {
      const copy = join(scratch.folder, String(at));
      await copyFile(pathOf(borrowed, objectName(file)), copy, constants.COPYFILE_FICLONE);
      const target = `${runFolder.copies(plan.run, source)}/${at}-${(file.key.split('/').at(-1) ?? '').slice(-NAME_LENGTH)}`;
      await deps.store.publish(copy, target);
      made[objectName(file)] = target;
    }
    return made;
  });
  await writeOnce(deps.store, key, { copies, left } satisfies KeptFiles);
  return key;
}

/** The list of copies that a model plan names. */
export function readKept(store: ObjectStore, key: string | undefined): Promise<KeptFiles | undefined> {
  return key === undefined ? Promise.resolve(undefined) : readJson<KeptFiles>(store, key);
}

/** The store as those see it who read landed files of which there are copies: it lends the copies. */
export function lendingKept(store: ObjectStore, kept: KeptFiles | undefined): Pick<ObjectStore, 'borrow'> {
  if (kept === undefined) return store;
  return {
    async borrow(objects): Promise<Borrowed> {
      const names = objects.map((object) => (typeof object === 'string' ? object : objectName(object)));
      const copyOf = (name: string): string => {
        const copy = kept.copies[name];
        if (copy === undefined) throw new RangeError(`the run keeps no copy of ${name}`);
        return copy;
      };
      const borrowed = await store.borrow(names.map(copyOf));
      return { ...borrowed, paths: new Map(names.map((name) => [name, pathOf(borrowed, copyOf(name))])) };
    },
  };
}
