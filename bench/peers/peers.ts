import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, SideResult } from '../bench.ts';
import { capture } from '../child.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { freshFolder, WORK } from '../folders.ts';
import { readFolder } from '../read-tables.ts';
import type { Side } from '../rounds.ts';

const PEERS = ['pandas', 'polars', 'pyspark'] as const;
const PEERS_FOLDER = fileURLToPath(new URL('../../.peers', import.meta.url));

export type Peers = { readonly found: readonly Side[]; readonly skipped: readonly string[] };

/**
 * The other tools that are installed, ready to make the retail tables, and the rest by name. A tool is looked for in
 * `python3` and in the environments below `.peers`, such as one made by `python3 -m venv .peers/frames` and
 * `.peers/frames/bin/pip install pandas polars pyarrow`.
 */
export async function findPeers(bench: Bench, input: string, tables: readonly FingerprintSpec[]): Promise<Peers> {
  const found: Side[] = [];
  const skipped: string[] = [];
  for (const name of PEERS) {
    const python = await findPython(name);
    if (python === undefined) skipped.push(`${name}: not installed for python3, nor in an environment below .peers`);
    else found.push({ name, run: () => runPeer(bench, { name, python }, input, tables) });
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
  input: string,
  tables: readonly FingerprintSpec[],
): Promise<SideResult> {
  const output = await freshFolder(join(WORK, 'peer'));
  const script = fileURLToPath(new URL(`retail_${name}.py`, import.meta.url));
  const started = performance.now();
  await capture(python, [script, input, output]);
  const ms = performance.now() - started;
  return { ms, cpuMs: null, peakBytes: null, fingerprints: await readFolder(bench.session, output, tables) };
}
