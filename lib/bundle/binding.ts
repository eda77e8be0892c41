import { execFile } from 'node:child_process';
import { access, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvalidInput } from '../core/errors.ts';
import type { Architecture } from './functions.ts';

const run = promisify(execFile);

type LockedPackage = { readonly version: string; readonly integrity?: string };

/** What of a binding is needed at run time. */
const FILES = ['package.json', 'duckdb.node', 'libduckdb.so', 'LICENSE'];

/**
 * Puts DuckDB's native code for Linux beside a worker. It is what npm installed on a machine of that architecture;
 * elsewhere it is fetched once through npm, and has to be what package-lock.json names. Answers false when it is not
 * at hand and cannot be fetched.
 */
export async function stageBinding(root: string, architecture: Architecture, worker: string): Promise<boolean> {
  const name = `@duckdb/node-bindings-linux-${architecture}`;
  const locked = await lockedPackage(root, name);
  const installed = join(root, 'node_modules', name);
  const source = (await hasVersion(installed, locked)) ? installed : await fetchBinding(root, name, locked);
  if (source === undefined) return false;
  const target = join(worker, 'node_modules', name);
  await mkdir(target, { recursive: true });
  for (const file of FILES) await cp(join(source, file), join(target, file));
  return true;
}

async function lockedPackage(root: string, name: string): Promise<LockedPackage> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = lock.packages[`node_modules/${name}`];
  if (found === undefined) throw new InvalidInput(`package-lock.json has no ${name}: run npm install`);
  return found;
}

async function hasVersion(folder: string, { version }: LockedPackage): Promise<boolean> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => '{}');
  const native = await access(join(folder, 'duckdb.node')).then(
    () => true,
    () => false,
  );
  return native && (JSON.parse(text) as { readonly version?: string }).version === version;
}

/** The folder of the package in npm's way of keeping caches; undefined when npm cannot fetch it. */
async function fetchBinding(root: string, name: string, locked: LockedPackage): Promise<string | undefined> {
  const cache = join(root, 'node_modules', '.cache', 'strata', `${name.split('/')[1]}-${locked.version}`);
  const folder = join(cache, 'node_modules', name);
  if (await hasVersion(folder, locked)) return folder;
  await mkdir(cache, { recursive: true });
  // Required, npm would refuse it on a machine of another kind.
  await writeFile(
    join(cache, 'package.json'),
    JSON.stringify({ private: true, optionalDependencies: { [name]: locked.version } }),
  );
  const platform = ['--os=linux', `--cpu=${name.split('-').at(-1)}`, '--libc=glibc'];
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', cache, ...platform];
  const failure = await run('npm', ['install', ...flags]).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (failure !== undefined || !(await hasVersion(folder, locked))) return undefined;
  await verify(cache, name, locked);
  return folder;
}

async function verify(cache: string, name: string, { integrity }: LockedPackage): Promise<void> {
  const fetched = await lockedPackage(cache, name);
  if (integrity !== undefined && fetched.integrity === integrity) return;
  throw new InvalidInput(
    `${name} is not what package-lock.json names: got integrity ${fetched.integrity ?? 'none'}; expected ${integrity ?? 'one, and there is none'}. ` +
      `Remove ${cache} and build again; if it stays so, do not deploy`,
  );
}
