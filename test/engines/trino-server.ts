import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode, PEERS } from '../interop/environments.ts';

/** What Athena's engine is closest to of what can be had: its release and the Java that it asks for. */
const RELEASE = '476';
const JAVA = 24;

const FOLDER = join(PEERS, 'trino');
const ARCHIVE = join(FOLDER, `trino-server-${RELEASE}.tar.gz`);
const ADDRESS = `https://repo1.maven.org/maven2/io/trino/trino-server/${RELEASE}/trino-server-${RELEASE}.tar.gz`;
const HOME = join(FOLDER, `trino-server-${RELEASE}`);
/** Where Maven keeps it on a machine that has fetched it by that. */
const BY_MAVEN = join(homedir(), '.m2/repository/io/trino/trino-server', RELEASE, `trino-server-${RELEASE}.tar.gz`);

/** Where a Trino of the test's own answers, by this machine alone. */
export type Trino = AsyncDisposable & {
  readonly address: string;
  /** As STRATA_TRINO names it. */
  readonly url: string;
  /** The rows of a statement; throws with the reason of one that fails. */
  rows(statement: string): Promise<readonly (readonly unknown[])[]>;
};

/** What keeps Trino from being started without fetching anything; undefined where all is there. */
export function missingForTrino(): string | undefined {
  if (findJava() === undefined) return `no Java ${JAVA} or later`;
  const found = [join(HOME, 'installed'), ARCHIVE, BY_MAVEN].some((file) => existsSync(file));
  return found ? undefined : `neither ${ARCHIVE} nor ${BY_MAVEN}`;
}

/** Properties of a catalog of Iceberg tables beside those that say so. */
export type Properties = Readonly<Record<string, string>>;

/**
 * Starts Trino with one worker, itself, and catalogs of Iceberg tables: `iceberg`, which it keeps in `folder`, and `glue`, which is
 * as `glue` says, where it is given.
 */
export async function startTrino(folder: string, glue?: Properties): Promise<Trino> {
  const java = findJava();
  if (java === undefined) throw new Error(`no Java ${JAVA} or later below /usr/lib/jvm; let JAVA_HOME name one`);
  await install();
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const etc = join(folder, 'etc');
  await mkdir(join(etc, 'catalog'), { recursive: true });
  await writeFile(join(etc, 'node.properties'), lines({ ...NODE, 'node.data-dir': join(folder, 'data') }));
  await writeFile(join(etc, 'jvm.config'), JVM.join('\n'));
  await writeFile(
    join(etc, 'config.properties'),
    lines({ ...CONFIG, 'http-server.http.port': String(port), 'discovery.uri': address }),
  );
  const catalog = { ...CATALOG, 'hive.metastore.catalog.dir': `file://${join(folder, 'metastore')}` };
  await writeFile(join(etc, 'catalog', 'iceberg.properties'), lines(catalog));
  if (glue !== undefined)
    await writeFile(join(etc, 'catalog', 'glue.properties'), lines({ 'connector.name': 'iceberg', ...glue }));
  const environment = { ...process.env, JAVA_HOME: java, PATH: `${join(java, 'bin')}:${process.env['PATH']}` };
  const server = spawn(join(HOME, 'bin', 'launcher'), ['run', '--etc-dir', etc], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const said: string[] = [];
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk: Buffer) => {
      said.push(chunk.toString());
      if (said.length > 200) said.shift();
    });
  const rows = (statement: string) => ask(address, statement);
  try {
    await untilReady(server, rows, said);
  } catch (cause) {
    await stop(server);
    throw cause;
  }
  return { address, url: `${address}/iceberg/strata`, rows, [Symbol.asyncDispose]: () => stop(server) };
}

const NODE = {
  'node.environment': 'test',
  'node.id': 'one',
  'node.bind-ip': '127.0.0.1',
  'node.internal-address': '127.0.0.1',
};
const CONFIG = {
  coordinator: 'true',
  'node-scheduler.include-coordinator': 'true',
  'query.max-memory': '400MB',
  'catalog.management': 'static',
};
const CATALOG = {
  'connector.name': 'iceberg',
  'iceberg.catalog.type': 'TESTING_FILE_METASTORE',
  'iceberg.register-table-procedure.enabled': 'true',
  'fs.hadoop.enabled': 'true',
};
const JVM = [
  '-server',
  '-Xmx1200M',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djdk.attach.allowAttachSelf=true',
  '--add-modules=jdk.incubator.vector',
];

function lines(properties: Properties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** A Java that is new enough: that of JAVA_HOME, or one that Debian's packages, or others in their place, have brought. */
function findJava(): string | undefined {
  const homes = [process.env['JAVA_HOME'] ?? '', ...globSync('/usr/lib/jvm/*')];
  return homes.find((home) => existsSync(join(home, 'release')) && releaseOf(home) >= JAVA);
}

function releaseOf(home: string): number {
  return Number(/JAVA_VERSION="(\d+)/.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1] ?? 0);
}

/** Fetches the archive once, and takes out of it what one catalog needs. */
async function install(): Promise<void> {
  if (existsSync(join(HOME, 'installed'))) return;
  await mkdir(FOLDER, { recursive: true });
  const archive = existsSync(BY_MAVEN) ? BY_MAVEN : ARCHIVE;
  if (!existsSync(archive)) await fetchArchive();
  await rm(HOME, { recursive: true, force: true });
  console.log(`installing Trino ${RELEASE} below ${FOLDER}`);
  if ((await exitCode('tar', ['-xzf', archive, '-C', FOLDER])) !== 0) throw new Error(`${archive} cannot be unpacked`);
  // Its files are links to those of other plugins, so that only now these can go.
  for (const plugin of await readdir(join(HOME, 'plugin')))
    if (plugin !== 'iceberg') await rm(join(HOME, 'plugin', plugin), { recursive: true });
  await writeFile(join(HOME, 'installed'), '');
}

async function fetchArchive(): Promise<void> {
  console.log(`fetching ${ADDRESS}`);
  const [response, sum] = [await fetch(ADDRESS), await fetch(`${ADDRESS}.sha1`)];
  if (!response.ok || response.body === null || !sum.ok) throw new Error(`${ADDRESS}: ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(`${ARCHIVE}.part`));
  const hash = createHash('sha1');
  await pipeline(createReadStream(`${ARCHIVE}.part`), hash);
  const [got, wanted] = [hash.digest('hex'), (await sum.text()).trim()];
  if (got !== wanted) throw new Error(`${ADDRESS}: its SHA-1 is ${got}; expected ${wanted}`);
  await rename(`${ARCHIVE}.part`, ARCHIVE);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no port of this machine is free');
  return address.port;
}

async function untilReady(
  server: ChildProcess,
  rows: (statement: string) => Promise<unknown>,
  said: readonly string[],
): Promise<void> {
  for (let tries = 0; tries < 240; tries += 1) {
    if (server.exitCode !== null) break;
    const ready = await rows('SELECT 1').then(
      () => true,
      () => false,
    );
    if (ready) return;
    await sleep(500);
  }
  throw new Error(`Trino does not start:\n${said.join('').slice(-3000)}`);
}

/** The launcher's child is the server, which has its process group. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return;
  const ended = new Promise((resolve) => server.once('close', resolve));
  process.kill(-server.pid, 'SIGKILL');
  await ended;
}

type Page = {
  readonly data?: readonly (readonly unknown[])[];
  readonly nextUri?: string;
  readonly error?: { readonly message: string };
};

async function ask(address: string, statement: string): Promise<readonly (readonly unknown[])[]> {
  const headers = { 'X-Trino-User': 'test', 'X-Trino-Catalog': 'iceberg', 'X-Trino-Time-Zone': 'UTC' };
  const rows: (readonly unknown[])[] = [];
  let response = await fetch(`${address}/v1/statement`, { method: 'POST', body: statement, headers });
  for (;;) {
    if (!response.ok) throw new Error(`Trino answers ${response.status}`);
    // The shape of Trino's own protocol.
    const { data = [], nextUri, error } = (await response.json()) as Page;
    if (error !== undefined) throw new Error(error.message);
    rows.push(...data);
    if (nextUri === undefined) return rows;
    response = await fetch(nextUri);
  }
}
