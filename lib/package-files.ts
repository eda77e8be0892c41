import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

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

/** The file of a state machine, by its name: `medallion`. */
export function stateMachineFile(name: string): string {
  return join(packageFolder(), 'statemachines', `${name}.asl.json`);
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
