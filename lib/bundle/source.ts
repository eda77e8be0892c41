import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput } from '../core/errors.ts';
import { dependencyFolders, functionSources, packageFolder, shippedFunctions } from '../package-files.ts';
import { type Bindings, cacheOf, lockedBindings } from './binding.ts';

/** Where functions come from: bundled here and now, or as the package brings them; and DuckDB's native code beside them. */
export type FunctionSource = {
  /** Puts the bundles, without pipelines and native code, into a folder that is not there yet. */
  readonly code:
    | { readonly kind: 'sources'; readonly root: string }
    | { readonly kind: 'bundles'; readonly folder: string };
  readonly bindings: Bindings;
};

/** Beside the bundles of a package: which native code they were built for. */
const BINDINGS_FILE = 'bindings.json';

/**
 * What the functions of a project are built from: the sources, where this is the repository, else what the installed package
 * brings. Fetched native code is kept in the project. Throws InvalidInput for a package that brings neither.
 */
export async function findFunctionSource(project: string): Promise<FunctionSource> {
  return existsSync(functionSources()) ? sourcesOf(packageFolder()) : shippedIn(shippedFunctions(), project);
}

/** The sources in a folder, with what is installed and locked there. */
export async function sourcesOf(root: string): Promise<FunctionSource> {
  const bindings = {
    locked: await lockedBindings(root),
    installed: [join(root, 'node_modules')],
    cache: cacheOf(root),
  };
  return { code: { kind: 'sources', root }, bindings };
}

/** Bundles that `shipFunctions` has made. */
export async function shippedIn(folder: string, project: string): Promise<FunctionSource> {
  const text = await readFile(join(folder, BINDINGS_FILE), 'utf8').catch((cause: unknown) => {
    throw new InvalidInput(`no functions in ${folder}: the package is not whole, install it again`, [], { cause });
  });
  const locked = JSON.parse(text) as Bindings['locked'];
  const bindings = { locked, installed: dependencyFolders(), cache: cacheOf(project) };
  return { code: { kind: 'bundles', folder }, bindings };
}

/** Makes what a package brings, from the sources in `root`, in place of what was in `folder`. */
export async function shipFunctions(root: string, folder: string): Promise<void> {
  const { bundleCode } = await import('./code.ts');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await bundleCode(root, folder);
  await writeFile(join(folder, BINDINGS_FILE), `${JSON.stringify(await lockedBindings(root), null, 2)}\n`);
}
