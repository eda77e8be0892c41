import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { renderValue } from '../../lib/cli/output/rows.ts';
import { queryRows } from '../../lib/query/select.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { exitCode } from './environments.ts';
import { openLake } from './lakes.ts';

const FIRST = `{"id":1,"kind":"a","note":"\ufeffa","x":-0.0,"tags":[{"k":"x","v":1}]}
{"id":4,"kind":"b","note":"a","x":0.0,"tags":null}
`;
/** A row with the key of one that was added, and a new one. */
const SECOND = `{"id":2,"kind":"a","note":"late","x":1.5,"tags":null}
{"id":5,"kind":"a","note":null,"x":-0.0,"tags":[]}
`;

/**
 * A lake to whose table PyIceberg adds a Parquet file without field ids between two runs; after that and after the
 * second run: the table's metadata, and the rows that Strata reads.
 */
export async function writeForeign(
  root: string,
  python: string,
): Promise<{ readonly metadata: readonly string[]; readonly rows: readonly string[] }> {
  const lake = await openLake(root, join(import.meta.dirname, 'pipelines'));
  await landAndRun(lake, 'first.json', FIRST);
  const before = await metadataOf(lake);
  const added = pathToFileURL(join(lake.root, 'silver/foreign/orders/data/added.parquet')).href;
  const code = await exitCode(python, [join(import.meta.dirname, 'checks', 'add_file.py'), before, added]);
  if (code !== 0) throw new Error(`add_file.py ended with ${code}`);
  const metadata = [await metadataOf(lake)];
  const rows = [await readRows(lake, 'added')];
  await landAndRun(lake, 'second.json', SECOND);
  return { metadata: [...metadata, await metadataOf(lake)], rows: [...rows, await readRows(lake, 'second')] };
}

async function landAndRun(lake: LocalLake, name: string, text: string): Promise<void> {
  const path = join(lake.root, 'bronze/foreign/orders', name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  const answer = await lake.run({ pipeline: 'foreign' });
  if (answer.kind !== 'ended' || answer.result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(answer));
}

async function metadataOf(lake: LocalLake): Promise<string> {
  const entry = await lake.deps.catalog.load({ pipeline: 'foreign', layer: 'silver', name: 'orders' });
  if (entry === undefined) throw new Error('no table foreign_silver.orders');
  return entry.metadataLocation;
}

async function readRows(lake: LocalLake, name: string): Promise<string> {
  const rows = await queryRows(lake.deps, 'SELECT * FROM foreign_silver.orders ORDER BY id');
  const path = join(lake.root, `${name}.rows.json`);
  await writeFile(path, renderValue(rows));
  return path;
}
