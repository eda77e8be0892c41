import { opsTable } from '../../core/ops.ts';
import type { SetAsideFile } from '../../core/run.ts';
import type { ObjectInfo, Row, Session } from '../../ports.ts';
import { selectLedger } from '../../sql/ops-rows.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openOps } from './open-ops.ts';

/** What the ledger says of a file that was set aside, without the file and the tables that lack it. */
export type SetAside = Omit<SetAsideFile, 'file' | 'models'>;

/** What became of a file for a table. The later of two runs that took it for the table has the last word. */
type Entry = { readonly order: number; readonly aside: SetAside | undefined };

/** By table, by its full name; '' stands for all that its source had. */
type Entries = ReadonlyMap<string, Entry>;

export type Ledger = {
  /** By key and etag. */
  readonly files: ReadonlyMap<string, Entries>;
  /** By folder and table: the key of the file that was taken last. */
  readonly latest: ReadonlyMap<string, ReadonlyMap<string, { readonly order: number; readonly key: string }>>;
  /** By key, the earliest first: what is known by former etags alone. */
  readonly former: ReadonlyMap<string, readonly { readonly etag: string; readonly size: number }[]>;
};

const ALL_TABLES = '';

/**
 * What a folder's files are known by. Before their content was hashed it was size, modification time and inode, and where
 * the lake was copied from a bucket it is an etag of S3.
 */
const HASHED_ETAG = /^[0-9a-f]{64}$/;

/** The ledger of a pipeline, in one query. */
export async function readLedger(deps: StepDeps, session: Session, pipeline: string): Promise<Ledger> {
  const files = new Map<string, Map<string, Entry>>();
  const latest = new Map<string, Map<string, { order: number; key: string }>>();
  const hashed = new Set<string>();
  const former = new Map<string, { etag: string; size: number }[]>();
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'files'));
  if (entry === undefined) return { files, latest, former };
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata);
  for (const [order, row] of (await session.rows(selectLedger())).entries()) {
    const [key, etag] = [String(row['key']), String(row['etag'])];
    const table = typeof row['table_name'] === 'string' ? row['table_name'] : ALL_TABLES;
    within(files, ledgerKey(key, etag)).set(table, { order, aside: parseSetAside(row) });
    within(latest, folderOf(key)).set(table, { order, key });
    if (HASHED_ETAG.test(etag)) hashed.add(key);
    else former.set(key, [...(former.get(key) ?? []), { etag, size: Number(row['size']) }]);
  }
  for (const key of hashed) former.delete(key);
  return { files, latest, former };
}

function within<V>(maps: Map<string, Map<string, V>>, name: string): Map<string, V> {
  const found = maps.get(name) ?? new Map<string, V>();
  maps.set(name, found);
  return found;
}

export function ledgerKey(key: string, etag: string): string {
  return `${etag} ${key}`;
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

function parseSetAside(row: Row): SetAside | undefined {
  const text = (name: string): string => String(row[name] ?? '');
  if (text('status') === 'ingested') return undefined;
  return {
    source: text('source'),
    status: row['status'] === 'suspended' ? 'suspended' : 'rejected',
    code: text('code'),
    reason: text('reason'),
    run_id: text('run_id'),
    at: text('at'),
  };
}

/** What became of a file for a table; `undefined`: no run took it for the table. */
export function entryFor(
  { files }: Pick<Ledger, 'files'>,
  file: { readonly key: string; readonly etag: string },
  table: string,
): Entry | undefined {
  return laterOf(files.get(ledgerKey(file.key, file.etag)), table);
}

/** The key of the file of a folder that was taken last for a table. */
export function latestFor({ latest }: Pick<Ledger, 'latest'>, folder: string, table: string): string | undefined {
  return laterOf(latest.get(folder), table)?.key;
}

function laterOf<E extends { readonly order: number }>(
  entries: ReadonlyMap<string, E> | undefined,
  table: string,
): E | undefined {
  const [all, own] = [entries?.get(ALL_TABLES), entries?.get(table)];
  if (all === undefined || own === undefined) return own ?? all;
  return own.order > all.order ? own : all;
}

/**
 * The former etag under which the ledger knows a file of a folder. One that was touched, copied or restored has another now;
 * as long as its size is that of a file of its name in the ledger, it is taken for that file: what was ingested twice
 * could not be told from the rest any more. Once the ledger has a name with a hash, only hashes count for it.
 */
export function formerEtag(
  { files, former }: Ledger,
  { key, size, etag, former: own }: ObjectInfo,
): string | undefined {
  if (files.has(ledgerKey(key, etag))) return undefined;
  const rows = own === undefined ? [] : (former.get(key) ?? []);
  return (rows.find((row) => row.etag === own) ?? rows.findLast((row) => row.size === size))?.etag;
}
