import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What this package is called, by whom it is imported and installed. */
export const PACKAGE_NAME = '@strata-lake/strata';

/**
 * The folder of this package, which holds its package.json: the repository, or `node_modules/<name>` where the compiled
 * code lies some folders deeper. All that the package brings with it is found from here, and nothing of a user's.
 */
export function packageFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder))
      throw new Error(`no package.json above ${import.meta.dirname}: the package is broken`);
  }
}

export type PackageManifest = {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** The package's package.json. */
export function packageManifest(): PackageManifest {
  return JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8')) as PackageManifest;
}

/** The package's own pipelines: those of the repository, or the compiled one that `demo` runs. */
export function samplePipelines(): string {
  return join(import.meta.dirname, '..', 'pipelines');
}

/** The files of a template of `init`. */
export function templateFolder(name: string): string {
  return join(packageFolder(), 'templates', name);
}

/** The file of a state machine, by its name: `medallion`. */
export function stateMachineFile(name: string): string {
  return join(packageFolder(), 'statemachines', `${name}.asl.json`);
}

/** What a session of Spark runs, on a laptop and on AWS. */
export function sparkScript(): string {
  return join(packageFolder(), 'spark', 'statement.py');
}

/** Sources of the functions; a package that was installed has none. */
export function functionSources(): string {
  return join(packageFolder(), 'lambdas');
}

/** The functions as an installed package brings them: bundled, without pipelines and without DuckDB's native code. */
export function shippedFunctions(): string {
  return join(packageFolder(), 'dist', 'functions');
}

/** `node_modules` folders in which what this package depends on may lie, the nearest first. */
export function dependencyFolders(): readonly string[] {
  const folders: string[] = [];
  for (let folder = packageFolder(); ; folder = dirname(folder)) {
    folders.push(join(folder, 'node_modules'));
    if (folder === dirname(folder)) return folders;
  }
}
