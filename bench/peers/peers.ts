import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, SideResult } from '../bench.ts';
import { capture } from '../child.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { freshFolder, WORK } from '../folders.ts';
import { readFolder } from '../read-tables.ts';
import type { Side } from '../rounds.ts';
import { parseUsage } from '../usage.ts';
import { PEERS_FOLDER } from './environments.ts';

type Name = 'pandas' | 'polars' | 'pyspark';
const MEASURED = fileURLToPath(new URL('measured.py', import.meta.url));

export type Peers = { readonly found: readonly Side[]; readonly skipped: readonly string[] };

/** A script for each tool, `<work>_<tool>.py <input> <output> <more>`, and what it makes. */
export type PeerWork = {
  readonly work: string;
  readonly tools: readonly Name[];
  readonly input: string;
  readonly more?: readonly string[];
  readonly tables: readonly FingerprintSpec[];
};

/**
 * The other tools that are installed, ready to do the work, and the rest by name. A tool is looked for in `python3` and in
 * the environments below `.peers`, such as one made by `python3 -m venv .peers/frames` and
 * `.peers/frames/bin/pip install pandas polars==1.44.2 polars-hash==0.9.3 pyarrow`.
 */
export async function findPeers(bench: Bench, work: PeerWork): Promise<Peers> {
  const found: Side[] = [];
  const skipped: string[] = [];
  for (const name of work.tools) {
    const python = await findPython(name);
    if (python === undefined) skipped.push(`${name}: not installed for python3, nor in an environment below .peers`);
    else found.push({ name, run: () => runPeer(bench, { name, python }, work) });
  }
  return { found, skipped };
}

/** The interpreter that has a module; undefined where none has. */
export async function findPython(module: string): Promise<string | undefined> {
  const pythons = ['python3'];
  for (const name of await readdir(PEERS_FOLDER).catch(() => [])) pythons.push(join(PEERS_FOLDER, name, 'bin/python'));
  for (const python of pythons) {
    const imported = await capture(python, ['-c', `import ${module}`]).then(
      () => true,
      () => false,
    );
    if (imported) return python;
  }
  return undefined;
}

async function runPeer(
  bench: Bench,
  { name, python }: { readonly name: string; readonly python: string },
  { work, input, more = [], tables }: PeerWork,
): Promise<SideResult> {
  const output = await freshFolder(join(WORK, 'peer'));
  const script = fileURLToPath(new URL(`${work}_${name}.py`, import.meta.url));
  const usageFile = join(WORK, `usage-${process.pid}.json`);
  const env = { ...process.env, STRATA_BENCH_USAGE: usageFile };
  const started = performance.now();
  await capture(python, [MEASURED, script, input, output, ...more], env);
  const ms = performance.now() - started;
  const usage = parseUsage(await readFile(usageFile, 'utf8'));
  await rm(usageFile);
  return { ms, ...usage, fingerprints: await readFolder(bench.session, output, tables) };
}
