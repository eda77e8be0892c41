import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture } from '../child.ts';
import type { Sample } from '../figures.ts';
import { WORK } from '../folders.ts';
import { measureTree } from '../process-tree.ts';
import { findPython } from './peers.ts';

/** The tools that keep a history, with the modules that they are known by, in the versions that were measured. */
const PEERS = [
  {
    name: 'delta-rs',
    script: 'history_deltalake.py',
    module: 'deltalake',
    packages: 'deltalake==1.6.6 pyarrow==26.0.1',
  },
  {
    name: 'DuckLake',
    script: 'history_ducklake.py',
    module: 'duckdb_extension_ducklake',
    packages: 'duckdb==1.5.5 duckdb-extension-ducklake==1.5.5',
  },
] as const;

/** A tool's table, step by step. */
export type HistoryPeer = {
  readonly name: string;
  load(input: string): Promise<Sample>;
  merge(input: string): Promise<Sample>;
  /** Its rows as one Parquet file, not measured. */
  export(path: string): Promise<void>;
};

/** The tools that are installed, and the rest by name. */
export async function findHistoryPeers(): Promise<{
  readonly found: readonly HistoryPeer[];
  readonly skipped: readonly string[];
}> {
  const found: HistoryPeer[] = [];
  const skipped: string[] = [];
  for (const { name, script, module, packages } of PEERS) {
    const python = await findPython(module);
    if (python === undefined) {
      skipped.push(`${name}: not installed; python3 -m venv .peers/lakes && .peers/lakes/bin/pip install ${packages}`);
      continue;
    }
    const path = fileURLToPath(new URL(script, import.meta.url));
    const table = join(WORK, `peer-${module}`);
    const step = (what: string, input: string): Promise<Sample> =>
      measureTree(python, [path, what, input, table], WORK);
    found.push({
      name,
      load: (input) => step('load', input),
      merge: (input) => step('merge', input),
      export: async (to) => void (await capture(python, [path, 'export', to, table])),
    });
  }
  return { found, skipped };
}
