import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, SideResult } from '../bench.ts';
import { capture } from '../child.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { freshFolder, WORK } from '../folders.ts';
import { readFolder } from '../read-tables.ts';
import type { Side } from '../rounds.ts';

const PEERS = ['pandas', 'polars', 'pyspark'] as const;

export type Peers = { readonly found: readonly Side[]; readonly skipped: readonly string[] };

/** The other tools that are installed for `python3`, ready to make the retail tables; the rest by name. */
export async function findPeers(bench: Bench, input: string, tables: readonly FingerprintSpec[]): Promise<Peers> {
  const found: Side[] = [];
  const skipped: string[] = [];
  for (const name of PEERS) {
    const missing = await capture('python3', ['-c', `import ${name}`]).then(
      () => false,
      () => true,
    );
    if (missing) skipped.push(`${name}: not installed for python3`);
    else found.push({ name, run: () => runPeer(bench, name, input, tables) });
  }
  return { found, skipped };
}

async function runPeer(
  bench: Bench,
  name: string,
  input: string,
  tables: readonly FingerprintSpec[],
): Promise<SideResult> {
  const output = await freshFolder(join(WORK, 'peer'));
  const script = fileURLToPath(new URL(`retail_${name}.py`, import.meta.url));
  const started = performance.now();
  await capture('python3', [script, input, output]);
  const ms = performance.now() - started;
  return { ms, cpuMs: null, peakBytes: null, fingerprints: await readFolder(bench.session, output, tables) };
}
