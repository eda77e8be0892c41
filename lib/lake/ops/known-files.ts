import type { SetAsideFile } from '../../core/run.ts';
import type { ObjectInfo, Row } from '../../ports.ts';

/** What the ledger says of a file that was set aside, without the file and the tables that lack it. */
export type SetAside = Omit<SetAsideFile, 'file' | 'models'>;

/** What became of a file for a table. The later of two runs that took it for the table has the last word. */
type Entry = { readonly order: number; readonly aside: SetAside | undefined };

/** By table, by its full name; '' stands for all that its source had. */
type Entries = ReadonlyMap<string, Entry>;

/** What the ledger says of some names. */
export type Ledger = {
  /** By key and etag. */
  readonly files: ReadonlyMap<string, Entries>;
  /** By key, the earliest first: what is known by former etags alone. */
  readonly former: ReadonlyMap<string, readonly { readonly etag: string; readonly size: number }[]>;
};

const ALL_TABLES = '';

/**
 * What a folder's files are known by. Before their content was hashed it was size, modification time and inode, and where
 * the lake was copied from a bucket it is an etag of S3.
 */
const HASHED_ETAG = /^[0-9a-f]{64}$/;

/** Of rows of `selectLedger`, which has all of each name. */
export function parseLedger(rows: readonly Row[]): Ledger {
  const files = new Map<string, Map<string, Entry>>();
  const hashed = new Set<string>();
  const former = new Map<string, { etag: string; size: number }[]>();
  for (const [order, row] of rows.entries()) {
    const [key, etag] = [String(row['key']), String(row['etag'])];
    const name = ledgerKey(key, etag);
    const entries = files.get(name) ?? new Map<string, Entry>();
    files.set(name, entries.set(tableOf(row), { order, aside: parseSetAside(row) }));
    if (HASHED_ETAG.test(etag)) hashed.add(key);
    else former.set(key, [...(former.get(key) ?? []), { etag, size: Number(row['size']) }]);
  }
  for (const key of hashed) former.delete(key);
  return { files, former };
}

function tableOf(row: Row): string {
  return typeof row['table_name'] === 'string' ? row['table_name'] : ALL_TABLES;
}

export function ledgerKey(key: string, etag: string): string {
  return `${etag} ${key}`;
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

/** The key of the file of a folder that was taken last for a table, from rows of `selectLatest`. */
export function latestFor(rows: readonly Row[], table: string): string | undefined {
  const latest = new Map(rows.map((row, order) => [tableOf(row), { order, key: String(row['key']) }]));
  return laterOf(latest, table)?.key;
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
  { key, size, etag, former: own }: Pick<ObjectInfo, 'key' | 'size' | 'etag' | 'former'>,
): string | undefined {
  if (files.has(ledgerKey(key, etag))) return undefined;
  const rows = own === undefined ? [] : (former.get(key) ?? []);
  return (rows.find((row) => row.etag === own) ?? rows.findLast((row) => row.size === size))?.etag;
}
