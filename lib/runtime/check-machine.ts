import { constants } from 'node:fs';
import { access, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { compareClocks } from '../core/clock-skew.ts';
import { InvalidInput } from '../core/errors.ts';
import { type Finding, fail, ok, warn } from '../core/finding.ts';
import type { Engine } from '../ports.ts';
import { checkFolder } from './lake-folder.ts';
import { workMemory } from './machine.ts';
import { TEMP_PREFIX } from './scratch.ts';

/** The release that functions have, and tests are run with. */
const BEST_NODE = 24;
const LEAST_NODE = 22;
/** Locks, leases and the age of files compare the clock of this machine with the store's. */
const MOST_APART_MS = 60_000;

/** Whether this Node is one that Strata is for. */
export function checkNode(version: string): Finding {
  const major = Number(version.replace(/^v/, '').split('.')[0]);
  if (major === BEST_NODE) return ok('node', version);
  const advice = `install Node ${BEST_NODE}, which functions run with: https://nodejs.org, or npm install --save-dev node@${BEST_NODE}`;
  return major < LEAST_NODE ? fail('node', version, advice) : warn('node', version, advice);
}

/** Whether DuckDB's native code loads here and answers. */
export async function checkDuckDb(
  asked: { readonly memoryBytes?: number },
  load: () => Promise<Engine> = loadEngine,
): Promise<Finding> {
  const here = `${process.platform}-${process.arch}`;
  const scratch = await mkdtemp(join(tmpdir(), TEMP_PREFIX));
  try {
    const { short, ...memory } = workMemory(asked);
    const session = await (await load()).open({ ...memory, scratch });
    await session[Symbol.asyncDispose]();
    const found = `its native code for ${here} loads; it may use ${Math.round(memory.memoryBytes / 1e6)} MB and ${memory.threads} threads`;
    return short
      ? warn('duckdb', found, 'free some memory: runs begin with more, or give --memory')
      : ok('duckdb', found);
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
    const advice = `npm install once more, on this machine: npm fetches @duckdb/node-bindings-${here} unless it is told to leave optional packages out`;
    return fail('duckdb', `does not load on ${here}: ${reason}`, advice);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function loadEngine(): Promise<Engine> {
  const { createDuckDbEngine } = await import('../engine/duckdb.ts');
  return createDuckDbEngine();
}

/**
 * Whether runs can write where the lake is or is to be, and whether that place has this machine's time. A folder that is not
 * there is not made; one that is there holds a small file for a moment.
 */
export async function checkLake(path: string, now: () => Date = () => new Date()): Promise<readonly Finding[]> {
  try {
    await checkFolder(path, '--root');
    const folder = resolve(path);
    if (await isThere(folder)) return await probe(folder, now);
    const above = await nearest(folder);
    await access(above, constants.W_OK | constants.X_OK);
    return [ok('lake folder', `${folder}: not there yet; the first run makes it`)];
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const advice = cause instanceof InvalidInput ? 'name another folder with --root' : ADVICE;
    return [fail('lake folder', found, advice)];
  }
}

const ADVICE = 'give this user the right to write there, or name another folder with --root';

async function probe(folder: string, now: () => Date): Promise<readonly Finding[]> {
  const file = join(folder, `.strata-doctor-${process.pid}`);
  try {
    await writeFile(file, '');
    const { mtime } = await stat(file);
    return [
      ok('lake folder', `${folder}: may be written`),
      compareClocks(now(), mtime, 'the lake folder', MOST_APART_MS),
    ];
  } finally {
    await rm(file, { force: true });
  }
}

async function nearest(folder: string): Promise<string> {
  const above = dirname(folder);
  return above === folder || (await isThere(above)) ? above : nearest(above);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
