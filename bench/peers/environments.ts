import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture } from '../child.ts';

/** Where environments of other tools lie; git ignores it. */
export const PEERS_FOLDER = fileURLToPath(new URL('../../.peers', import.meta.url));

/** Environments of Python, each of the packages in the file of its name beside this one. */
const ENVIRONMENTS = ['frames', 'lakes', 'dbt', 'sqlmesh', 'spark'] as const;

/** A tool that does the same work, what it makes being compared in each round, and what it leaves out of what a run does. */
export type Peer = { readonly name: string; readonly package: string; readonly leavesOut: string };

const NO_ACCOUNTS = 'contracts with limits and forms, accounts of files and rows, commits, runs that can be repeated';

export const PEERS: readonly Peer[] = [
  { name: 'Polars', package: 'polars', leavesOut: NO_ACCOUNTS },
  { name: 'pandas', package: 'pandas', leavesOut: NO_ACCOUNTS },
  { name: 'PySpark', package: 'pyspark', leavesOut: NO_ACCOUNTS },
  {
    name: 'delta-rs',
    package: 'deltalake',
    leavesOut: 'a log of events, equal events and ties, events that come out of order, checks of values, accounts',
  },
  {
    name: 'DuckLake',
    package: 'duckdb-extension-ducklake',
    leavesOut: 'a log of events, equal events and ties, events that come out of order, checks of values, accounts',
  },
  {
    name: 'dbt',
    package: 'dbt-duckdb',
    leavesOut:
      'which files are new (it is told), checks of values, quarantine, accounts; rows are told apart by one column',
  },
  {
    name: 'SQLMesh',
    package: 'sqlmesh',
    leavesOut:
      'which files are new (it is told), checks of values, quarantine, accounts; rows are told apart by one column',
  },
];

/** The packages of an environment with their versions, a line each: `polars==1.44.2`. */
export async function readPackages(): Promise<readonly string[]> {
  const files = await Promise.all(ENVIRONMENTS.map((name) => readFile(packagesOf(name), 'utf8')));
  return files.flatMap((text) => text.split('\n').filter((line) => line !== ''));
}

/** Makes the environments that are missing, or were made of other packages. Throws what pip says. */
export async function installPeers(log: (line: string) => void): Promise<void> {
  for (const name of ENVIRONMENTS) {
    const folder = join(PEERS_FOLDER, name);
    const packages = await readFile(packagesOf(name), 'utf8');
    const mark = join(folder, 'made-from.txt');
    if ((await readFile(mark, 'utf8').catch(() => '')) === packages) continue;
    log(`installing the peers of ${name}`);
    await mkdir(PEERS_FOLDER, { recursive: true });
    await capture('python3', ['-m', 'venv', '--clear', folder]);
    await capture(join(folder, 'bin', 'pip'), ['install', '--quiet', '--requirement', fileURLToPath(packagesOf(name))]);
    await writeFile(mark, packages);
  }
}

function packagesOf(name: string): URL {
  return new URL(`${name}.txt`, import.meta.url);
}
