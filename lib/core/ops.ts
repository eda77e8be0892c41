import type { TableId } from './tables.ts';
import type { Column } from './types.ts';

/** The table that a row is about, by its full name; null: all tables that its source had when it was written. */
const TABLE_NAME = column('table_name', 'string');

/** The tables in which a pipeline keeps its own books, database `<pipeline>_ops`. Columns may be added, never changed. */
export const OPS_TABLES = {
  /** The ledger: every landed file that a run dealt with, for all tables of its source or for one. */
  files: [
    column('source', 'string'),
    column('key', 'string'),
    column('etag', 'string'),
    column('size', 'bigint'),
    column('status', 'string'),
    column('records', 'bigint'),
    column('code', 'string'),
    column('reason', 'string'),
    column('run_id', 'string'),
    column('ingested_at', 'timestamptz'),
    column('place', 'string'),
    TABLE_NAME,
  ],
  accounting: [
    column('run_id', 'string'),
    column('source', 'string'),
    column('read', 'bigint'),
    column('accepted', 'bigint'),
    column('quarantined', 'bigint'),
    column('condemned', 'bigint'),
    column('duplicates', 'bigint'),
    column('recorded_at', 'timestamptz'),
    TABLE_NAME,
  ],
  quarantine: [
    column('source', 'string'),
    column('source_file', 'string'),
    column('line', 'bigint'),
    column('raw', 'string'),
    { name: 'codes', type: { kind: 'list', element: { kind: 'string' } } },
    { name: 'details', type: { kind: 'list', element: { kind: 'string' } } },
    column('row_hash', 'string'),
    column('business_key', 'string'),
    column('attempt', 'int'),
    column('status', 'string'),
    column('run_id', 'string'),
    column('quarantined_at', 'timestamptz'),
    TABLE_NAME,
  ],
  runs: [
    column('run_id', 'string'),
    column('status', 'string'),
    column('started_at', 'timestamptz'),
    column('finished_at', 'timestamptz'),
    column('duration_ms', 'bigint'),
    column('files', 'bigint'),
    column('rows_read', 'bigint'),
    column('rows_added', 'bigint'),
    column('error', 'string'),
    /** `run`, or what kind of maintenance it was; null of earlier releases, which had none. */
    column('kind', 'string'),
    /**
     * Of the data files that models read: those of files that partitions and statistics left; those that were needed of
     * these, footers included; all others of the tables. Null of earlier releases and of runs that failed.
     */
    column('bytes_kept', 'bigint'),
    column('bytes_brought', 'bigint'),
    column('bytes_skipped', 'bigint'),
  ],
} as const satisfies Readonly<Record<string, readonly Column[]>>;

export type OpsTable = keyof typeof OPS_TABLES;

export const OPS_TABLE_NAMES = Object.keys(OPS_TABLES) as readonly OpsTable[];

export function opsTable(pipeline: string, name: OpsTable): TableId {
  return { pipeline, layer: 'ops', name };
}

function column(name: string, kind: 'string' | 'bigint' | 'int' | 'timestamptz'): Column {
  return { name, type: { kind } };
}
