import { execFile } from 'node:child_process';
import { access, cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ARCHITECTURES, type Architecture } from '../core/bundle-folder.ts';
import { InvalidInput } from '../core/errors.ts';

const run = promisify(execFile);

export type LockedPackage = { readonly version: string; readonly integrity?: string };

/** DuckDB's native code for Linux: which it has to be, and where it may lie. */
export type Bindings = {
  /** By the name of the package. */
  readonly locked: Readonly<Record<string, LockedPackage>>;
  /** `node_modules` folders, the first that has it counts. */
  readonly installed: readonly string[];
  /** Where a build keeps what it has fetched. */
  readonly cache: string;
};

/** What of a binding is needed at run time. */
const FILES = ['package.json', 'duckdb.node', 'libduckdb.so', 'LICENSE'];

/** The bindings that a folder's package-lock.json names. */
export async function lockedBindings(folder: string): Promise<Readonly<Record<string, LockedPackage>>> {
  const packages = await lockOf(folder);
  const locked: Record<string, LockedPackage> = {};
  for (const name of ARCHITECTURES.map(nameOf)) {
    const found = packages[`node_modules/${name}`];
    if (found === undefined) throw new InvalidInput(`package-lock.json has no ${name}: run npm install`);
    const { version, integrity } = found;
    locked[name] = { version, ...(integrity === undefined ? {} : { integrity }) };
  }
  return locked;
}

/** Where builds for a project keep what they have fetched: where npm's packages keep their caches. */
export function cacheOf(project: string): string {
  return join(project, 'node_modules', '.cache', 'strata');
}

/**
 * Puts DuckDB's native code for Linux beside a worker. It is what npm installed on a machine of that architecture;
 * elsewhere it is fetched once through npm, and has to be what was locked. Answers false when it is not at hand and cannot
 * be fetched; throws InvalidInput for code that is not what was locked.
 */
export async function stageBinding(bindings: Bindings, architecture: Architecture, worker: string): Promise<boolean> {
  const source = (await findBinding(bindings, architecture)) ?? (await fetchBinding(bindings, architecture));
  if (source === undefined) return false;
  const target = join(worker, 'node_modules', nameOf(architecture));
  await mkdir(target, { recursive: true });
  for (const file of FILES) await cp(join(source, file), join(target, file));
  return true;
}

/** The folder of DuckDB's native code, when it was installed or fetched before. Throws as `stageBinding` does. */
export async function findBinding(bindings: Bindings, architecture: Architecture): Promise<string | undefined> {
  const name = nameOf(architecture);
  const locked = lockedOf(bindings, name);
  for (const folder of bindings.installed) {
    if (await hasVersion(join(folder, name), locked)) return join(folder, name);
  }
  const fetched = fetchedTo(bindings, name);
  if (!(await hasVersion(join(fetched, 'node_modules', name), locked))) return undefined;
  await verify(fetched, name, locked);
  return join(fetched, 'node_modules', name);
}

function nameOf(architecture: Architecture): string {
  return `@duckdb/node-bindings-linux-${architecture}`;
}

async function lockOf(folder: string): Promise<Readonly<Record<string, LockedPackage>>> {
  const text = await readFile(join(folder, 'package-lock.json'), 'utf8');
  return (JSON.parse(text) as { readonly packages: Readonly<Record<string, LockedPackage>> }).packages;
}

function lockedOf({ locked }: Bindings, name: string): LockedPackage {
  const found = locked[name];
  if (found === undefined) throw new InvalidInput(`nothing says which ${name} is right: install the package again`);
  return found;
}

function fetchedTo(bindings: Bindings, name: string): string {
  return join(bindings.cache, `${name.split('/')[1]}-${lockedOf(bindings, name).version}`);
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
async function fetchBinding(bindings: Bindings, architecture: Architecture): Promise<string | undefined> {
  const name = nameOf(architecture);
  const made = fetchedTo(bindings, name);
  await mkdir(made, { recursive: true });
  // Below a link npm would note what it fetches by a path that leads out of the folder.
  const folder = await realpath(made);
  // Required, npm would refuse it on a machine of another kind.
  const wanted = { private: true, optionalDependencies: { [name]: lockedOf(bindings, name).version } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(wanted));
  const platform = ['--os=linux', `--cpu=${architecture}`, '--libc=glibc'];
  // With its own patience npm takes more than a minute to find that there is no network.
  const patience = ['--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  const flags = ['--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  await run('npm', ['install', ...flags, ...platform, ...patience]).catch(() => undefined);
  return findBinding(bindings, architecture);
}

/** npm notes the integrity of what it has fetched in a lock of its own. */
async function verify(folder: string, name: string, { integrity }: LockedPackage): Promise<void> {
  const fetched = (await lockOf(folder))[`node_modules/${name}`];
  if (integrity !== undefined && fetched?.integrity === integrity) return;
  throw new InvalidInput(
    `${name} is not what was locked: got integrity ${fetched?.integrity ?? 'none'}; expected ${integrity ?? 'one, and there is none'}. ` +
      `Remove ${folder} and build again; if it stays so, do not deploy`,
  );
}
