import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectName } from '../../core/objects.ts';
import type { LandedFile, LeftFile, RunPlan } from '../../core/run.ts';
import type { Borrowed, ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { plannedFiles, readersIn } from '../run/planned-files.ts';
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
 * between them. Answers the key of the list of copies; `undefined` where no two models read a file, or where the store
 * keeps what is overwritten. Repeating it finds the first list. A file system that can shares the bytes of a copy.
 */
export async function keepFiles(deps: StepDeps, plan: RunPlan, source: string): Promise<string | undefined> {
  if (readersIn(plan, source).length < 2) return undefined;
  const key = runFolder.kept(plan.run, source);
  if ((await deps.store.head(key)) !== undefined) return key;
  const files = await sharedFiles(deps.store, plan, source);
  if (files.every((file) => file.version !== undefined)) return undefined;
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

/** The files that more than one model takes. */
async function sharedFiles(store: ObjectStore, plan: RunPlan, source: string): Promise<readonly LandedFile[]> {
  const seen = new Map<string, { readonly file: LandedFile; readonly readers: number }>();
  for (const model of readersIn(plan, source)) {
    for (const file of await plannedFiles(store, plan, model)) {
      seen.set(objectName(file), { file, readers: 1 + (seen.get(objectName(file))?.readers ?? 0) });
    }
  }
  return [...seen.values()].filter(({ readers }) => readers > 1).map(({ file }) => file);
}

/** The list of copies that a model plan names. */
export function readKept(store: ObjectStore, key: string | undefined): Promise<KeptFiles | undefined> {
  return key === undefined ? Promise.resolve(undefined) : readJson<KeptFiles>(store, key);
}

/** The store as those see it who read landed files: it lends the copies of those of which there are some. */
export function lendingKept(
  store: Pick<ObjectStore, 'borrow'>,
  kept: KeptFiles | undefined,
): Pick<ObjectStore, 'borrow'> {
  if (kept === undefined) return store;
  return {
    async borrow(objects): Promise<Borrowed> {
      const names = objects.map((object) => (typeof object === 'string' ? object : objectName(object)));
      const copyOf = (name: string): string | undefined =>
        Object.hasOwn(kept.copies, name) ? kept.copies[name] : undefined;
      const borrowed = await store.borrow(objects.map((object, i) => copyOf(names[i] ?? '') ?? object));
      return { ...borrowed, paths: new Map(names.map((name) => [name, pathOf(borrowed, copyOf(name) ?? name)])) };
    },
  };
}
