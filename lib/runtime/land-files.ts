import { constants } from 'node:fs';
import { access, copyFile, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { InvalidInput, type Problem } from '../core/errors.ts';
import type { SourceSpec } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import type { Ids, ObjectStore } from '../ports.ts';

/** `files`: paths of files, and of folders, which stand for all files below them. */
export type LandRequest = { readonly pipeline: string; readonly source: string; readonly files: readonly string[] };

export type Landed = {
  readonly file: string;
  readonly key: string;
  readonly bytes: number;
  /** replaced: an earlier upload had that name. unchanged: that upload has the same bytes, so that it is no new file. */
  readonly status: 'landed' | 'replaced' | 'unchanged';
};

/** The compiled pipeline; throws InvalidInput when there is none of that name. */
type Specs = (pipeline: string) => Promise<{ readonly sources: readonly Pick<SourceSpec, 'name' | 'seed'>[] }>;

/** The store of bronze, and a local folder for copies on their way to it. */
export type LandingDeps = {
  readonly store: ObjectStore;
  readonly ids: Pick<Ids, 'unique'>;
  readonly settings: { readonly scratch: string };
};

export type LandOptions = {
  /** Leaves alone what lies there with equal bytes, instead of making it a new upload. For small files. */
  readonly skipEqual?: boolean;
  readonly onLanded?: (landed: Landed) => void;
};

/** A file, and its path below the source's folder. */
type Landing = { readonly file: string; readonly name: string };

/**
 * How many files are to land. Throws InvalidInput for an unknown pipeline or source, and with every file that is missing, no
 * file, unreadable, or one of two with the same name, and every folder without a file.
 */
export async function checkLanding(specs: Specs, request: LandRequest): Promise<number> {
  const spec = await specs(request.pipeline);
  const sources = spec.sources.map((source) => source.name);
  if (!sources.includes(request.source)) {
    throw new InvalidInput(
      `pipeline ${request.pipeline} has no source ${JSON.stringify(request.source)}: expected ${oneOf(request.source, sources)}`,
    );
  }
  const seed = spec.sources.find((source) => source.name === request.source)?.seed;
  if (seed !== undefined) {
    throw new InvalidInput(
      `source ${request.source} of ${request.pipeline} is a seed: change ${seed.path} in the pipeline's folder, and the next run takes it`,
    );
  }
  const landings = await findFiles(request.files);
  const problems = await findProblems(landings);
  if (problems.length > 0) throw new InvalidInput('nothing was landed:', problems);
  return landings.length;
}

/** Files as they are given; a folder's have its name before their own, as when it is copied. */
async function findFiles(paths: readonly string[]): Promise<readonly Landing[]> {
  const found: Landing[] = [];
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    const below = info?.isDirectory() ? await filesBelow(path) : [];
    if (below.length === 0) found.push({ file: path, name: basename(path) });
    else found.push(...below.map((file) => ({ file, name: join(basename(resolve(path)), relative(path, file)) })));
  }
  return found;
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Copies checked files to `bronze/<pipeline>/<source>/<name>`, each appearing whole or not at all, as an upload does. */
export async function landFiles(
  deps: LandingDeps,
  request: LandRequest,
  options: LandOptions = {},
): Promise<readonly Landed[]> {
  const landed: Landed[] = [];
  for (const { file, name } of await findFiles(request.files)) {
    const one = await landFile(deps, file, `bronze/${request.pipeline}/${request.source}/${name}`, options);
    options.onLanded?.(one);
    landed.push(one);
  }
  return landed;
}

async function findProblems(landings: readonly Landing[]): Promise<readonly Problem[]> {
  const first = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { file, name } of landings) {
    const wrong = await wrongWith(file);
    const twin = first.get(name);
    if (wrong !== undefined) problems.push({ file, place: 'file', got: wrong, expected: 'a readable file' });
    else if (twin !== undefined) {
      const expected = 'one file of each name: in bronze the last would replace the others';
      problems.push({ file, place: 'name', got: `the name of ${twin} too`, expected });
    }
    if (twin === undefined) first.set(name, file);
  }
  return problems;
}

async function wrongWith(file: string): Promise<string | undefined> {
  const info = await stat(file).catch(() => undefined);
  if (info === undefined) return 'nothing at that path';
  if (info.isDirectory()) return 'a folder without a file';
  if (!info.isFile()) return 'something that is no regular file';
  const readable = await access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
  return readable ? undefined : 'a file without permission to read it';
}

async function landFile(deps: LandingDeps, file: string, key: string, options: LandOptions): Promise<Landed> {
  const before = await deps.store.head(key);
  const bytes = (await stat(file)).size;
  if (options.skipEqual === true && before?.size === bytes) {
    const there = (await deps.store.read(key)).bytes;
    if (Buffer.compare(there, await readFile(file)) === 0) return { file, key, bytes, status: 'unchanged' };
  }
  await mkdir(deps.settings.scratch, { recursive: true });
  const copy = join(deps.settings.scratch, `land-${deps.ids.unique()}`);
  try {
    await copyFile(file, copy);
    const { size, etag } = await deps.store.publish(copy, key);
    const status = before === undefined ? 'landed' : before.etag === etag ? 'unchanged' : 'replaced';
    return { file, key, bytes: size, status };
  } finally {
    await rm(copy, { force: true });
  }
}
