import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Architecture } from '../../lib/core/bundle-folder.ts';

export const PROJECT = join(import.meta.dirname, '..', '..');
/** A version that no registry has. */
export const VERSION = '0.0.0-none';

const FILES = ['duckdb.node', 'libduckdb.so', 'LICENSE'];

export const packageOf = (architecture: Architecture): string => `@duckdb/node-bindings-linux-${architecture}`;

export type Root = {
  readonly folder: string;
  /** Puts the package where npm installs it. */
  readonly install: (architecture: Architecture, version?: string) => Promise<void>;
  /** Puts the package where an earlier build fetched it to, with the integrity that npm noted. */
  readonly fetch: (architecture: Architecture, integrity?: string) => Promise<string>;
  readonly remove: () => Promise<void>;
};

/** A project of its own: our sources, no packages, and a lock that names DuckDB's native code, null: without integrity. */
export async function makeRoot(integrity: string | null = 'sha512-good'): Promise<Root> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-root-'));
  await symlink(join(PROJECT, 'lambdas'), join(folder, 'lambdas'));
  const locked = { version: VERSION, ...(integrity === null ? {} : { integrity }) };
  await writeLock(folder, { [packageOf('x64')]: locked, [packageOf('arm64')]: locked });
  return {
    folder,
    install: (architecture, version = VERSION) => writePackage(folder, architecture, version),
    async fetch(architecture, noted) {
      const name = `node-bindings-linux-${architecture}-${VERSION}`;
      const cache = join(folder, 'node_modules', '.cache', 'strata', name);
      await writePackage(cache, architecture, VERSION);
      const version = { version: VERSION, ...(noted === undefined ? {} : { integrity: noted }) };
      await writeLock(cache, { [packageOf(architecture)]: version });
      return cache;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function writeLock(folder: string, packages: Readonly<Record<string, object>>): Promise<void> {
  const entries = Object.entries(packages).map(([name, locked]) => [`node_modules/${name}`, locked]);
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages: Object.fromEntries(entries) }));
}

async function writePackage(folder: string, architecture: Architecture, version: string): Promise<void> {
  const target = join(folder, 'node_modules', packageOf(architecture));
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'package.json'), JSON.stringify({ name: packageOf(architecture), version }));
  for (const file of FILES) await writeFile(join(target, file), `${file} of ${architecture}`);
}

/** Lets npm find no registry and no cache; gives back what was set before. */
export function withoutRegistry(folder: string): () => void {
  return setEnvironment({
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_cache: join(folder, 'npm-cache'),
  });
}

/** Puts an npm before the real one that makes `--prefix` a copy of a folder. */
export async function withNpmThatCopies(folder: string, from: string): Promise<() => void> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const prefix = 'while [ "$1" != "--prefix" ]; do shift; done';
  await writeFile(join(bin, 'npm'), `#!/bin/sh\n${prefix}\ncp -R "${from}/." "$2/"\n`);
  await chmod(join(bin, 'npm'), 0o755);
  return setEnvironment({ PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` });
}

function setEnvironment(variables: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
