import { glob, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '../lib/ports.ts';
import { openLocalLake } from '../lib/runtime/local.ts';
import { quoteTexts } from '../lib/sql/quote.ts';
import { userSql } from '../lib/sql/user-sql.ts';
import { loadTable, planFiles } from '../lib/table/read.ts';
import { type Fingerprint, type FingerprintSpec, parseFingerprint, renderFingerprint } from './fingerprint.ts';

const SILENT = { info: () => undefined, warn: () => undefined };

/** Fingerprints of tables as a lake's catalog shows them. Throws Error for a table that is not there. */
export async function readLake(
  session: Session,
  root: string,
  pipeline: string,
  specs: readonly FingerprintSpec[],
): Promise<readonly Fingerprint[]> {
  const { deps } = await openLocalLake({ root, pipelines: root, log: SILENT });
  return readEach(session, specs, async ({ table }) => {
    const [layer = '', name = ''] = table.split('.');
    const known = layer === 'gold' || layer === 'ops' ? layer : 'silver';
    const entry = await loadTable(deps.catalog, { pipeline, layer: known, name });
    if (entry === undefined) throw new Error(`the lake at ${root} has no table ${pipeline}_${table}`);
    const keys = (await planFiles(deps.store, entry.metadata)).map((file) => deps.store.key(file.path));
    return [...(await deps.store.borrow(keys)).paths.values()];
  });
}

/** Fingerprints of `<folder>/<table>.parquet`, or of all Parquet files below `<folder>/<table>`. */
export async function readFolder(
  session: Session,
  folder: string,
  specs: readonly FingerprintSpec[],
): Promise<readonly Fingerprint[]> {
  return readEach(session, specs, async ({ table }) => {
    const file = join(folder, `${table}.parquet`);
    if ((await stat(file).catch(() => undefined))?.isFile()) return [file];
    const files: string[] = [];
    for await (const found of glob(join(folder, table, '**', '*.parquet'))) files.push(found);
    return files;
  });
}

async function readEach(
  session: Session,
  specs: readonly FingerprintSpec[],
  filesOf: (spec: FingerprintSpec) => Promise<readonly string[]>,
): Promise<readonly Fingerprint[]> {
  const fingerprints: Fingerprint[] = [];
  for (const spec of specs) {
    const files = await filesOf(spec);
    if (files.length === 0) throw new Error(`no Parquet files of ${spec.table}`);
    const from = `read_parquet(${quoteTexts(files)}, hive_partitioning = false)`;
    const [row = {}] = await session.rows({
      name: `fingerprint ${spec.table}`,
      text: userSql(renderFingerprint(spec, from)),
    });
    fingerprints.push(parseFingerprint(spec, row));
  }
  return fingerprints;
}
