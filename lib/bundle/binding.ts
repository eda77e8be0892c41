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
 * at hand and cannot be fetched; throws InvalidInput for code that is not what the lock names.
 */
export async function stageBinding(root: string, architecture: Architecture, worker: string): Promise<boolean> {
  const source = (await findBinding(root, architecture)) ?? (await fetchBinding(root, architecture));
  if (source === undefined) return false;
  const target = join(worker, 'node_modules', nameOf(architecture));
  await mkdir(target, { recursive: true });
  for (const file of FILES) await cp(join(source, file), join(target, file));
  return true;
}

/** The folder of DuckDB's native code, when it was installed or fetched before. Throws as `stageBinding` does. */
export async function findBinding(root: string, architecture: Architecture): Promise<string | undefined> {
  const name = nameOf(architecture);
  const locked = await lockedPackage(root, name);
  const installed = join(root, 'node_modules', name);
  if (await hasVersion(installed, locked)) return installed;
  const cache = cacheOf(root, name, locked);
  const fetched = join(cache, 'node_modules', name);
  if (!(await hasVersion(fetched, locked))) return undefined;
  await verify(cache, name, locked);
  return fetched;
}

function nameOf(architecture: Architecture): string {
  return `@duckdb/node-bindings-linux-${architecture}`;
}

/** Where npm's packages keep their caches. */
function cacheOf(root: string, name: string, { version }: LockedPackage): string {
  return join(root, 'node_modules', '.cache', 'strata', `${name.split('/')[1]}-${version}`);
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

/** Lets npm fetch the package, through the caches and registries it is set up with. What went wrong shows in what is there afterwards. */
async function fetchBinding(root: string, architecture: Architecture): Promise<string | undefined> {
  const name = nameOf(architecture);
  const locked = await lockedPackage(root, name);
  const cache = cacheOf(root, name, locked);
  await mkdir(cache, { recursive: true });
  // Required, npm would refuse it on a machine of another kind.
  const wanted = { private: true, optionalDependencies: { [name]: locked.version } };
  await writeFile(join(cache, 'package.json'), JSON.stringify(wanted));
  const platform = ['--os=linux', `--cpu=${architecture}`, '--libc=glibc'];
  // With its own patience npm takes more than a minute to find that there is no network.
  const patience = ['--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  const flags = ['--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', cache];
  await run('npm', ['install', ...flags, ...platform, ...patience]).catch(() => undefined);
  return findBinding(root, architecture);
}

async function verify(cache: string, name: string, { integrity }: LockedPackage): Promise<void> {
  const fetched = await lockedPackage(cache, name);
  if (integrity !== undefined && fetched.integrity === integrity) return;
  throw new InvalidInput(
    `${name} is not what package-lock.json names: got integrity ${fetched.integrity ?? 'none'}; expected ${integrity ?? 'one, and there is none'}. ` +
      `Remove ${cache} and build again; if it stays so, do not deploy`,
  );
}
