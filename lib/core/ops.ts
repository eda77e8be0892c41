import { type Exporting, exportsAnything } from './exports.ts';
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
    /** What `run_date()` was in it; null of earlier releases and of maintenance. */
    column('run_date', 'date'),
    /** US dollars, and by which rate: the prices of AWS, or those of an hour of the machine. Null where it was not measured. */
    column('cost_usd', 'double'),
    column('cost_rate', 'string'),
  ],
  /** A row for each model that a run worked on. */
  model_runs: [
    column('run_id', 'string'),
    column('model', 'string'),
    column('level', 'int'),
    /** When the first of its units began, and the last ended. */
    column('started_at', 'timestamptz'),
    column('finished_at', 'timestamptz'),
    /** Of its units, added up; they may have worked side by side. */
    column('duration_ms', 'bigint'),
    column('units', 'bigint'),
    /** Records read of the source's files; null of gold. */
    column('rows_in', 'bigint'),
    column('rows_out', 'bigint'),
    column('bytes_read', 'bigint'),
    column('bytes_written', 'bigint'),
    /** Of the process that did it, by then; null where it was not measured. */
    column('peak_memory_bytes', 'bigint'),
    /** The most that was spilled at a time while its units worked; null where it was not measured, as in earlier releases. */
    column('spilled_bytes', 'bigint'),
    /** Of its units alone, by the rate of the run. */
    column('cost_usd', 'double'),
    /** SUCCEEDED, FAILED, or UNDONE: it had no fault in a run that failed. */
    column('status', 'string'),
    column('error', 'string'),
  ],
  /** What each model read and wrote. */
  lineage: [
    column('run_id', 'string'),
    column('model', 'string'),
    column('action', 'string'),
    /** A table by full name, or `<pipeline>.<source>`. */
    column('table_or_source', 'string'),
    /** The id of a snapshot; of files their etag, or a hash over the etags and keys of several. */
    column('version', 'string'),
    /** Null, as `rows` and `bytes` are, where it was not counted. */
    column('files', 'bigint'),
    column('rows', 'bigint'),
    column('bytes', 'bigint'),
    column('at', 'timestamptz'),
  ],
  /** What the files that a run wrote to a table say of its columns. */
  quality: [
    column('run_id', 'string'),
    /** By full name. */
    column('table', 'string'),
    column('column', 'string'),
    column('rows', 'bigint'),
    column('nulls', 'bigint'),
    column('distinct_estimate', 'bigint'),
    /** As text; null of personal columns, and where files don't say. */
    column('min', 'string'),
    column('max', 'string'),
    /** Of a column of a declared key: whether it held, in all of the table; null of other columns. */
    column('unique_key_ok', 'boolean'),
  ],
  /** A row for each period of a branch that a run has done, or tried to. */
  branches: [
    column('branch', 'string'),
    column('period', 'string'),
    column('status', 'string'),
    /** The run that did it, or tried it last. */
    column('run_id', 'string'),
    column('attempts', 'int'),
    column('finished_at', 'timestamptz'),
  ],
  /** What was written for readers of files: a row for each object, and for each file that was not written and why. */
  exports: [
    column('run_id', 'string'),
    column('model', 'string'),
    column('kind', 'string'),
    /** The path below the pipeline's folder of exports, as the export names it. */
    column('target', 'string'),
    column('period', 'string'),
    column('key', 'string'),
    column('state', 'string'),
    column('reason', 'string'),
    /** The key of the object; null where none was written. */
    column('object', 'string'),
    column('bytes', 'bigint'),
    column('sha256', 'string'),
    column('etag', 'string'),
    column('snapshot_id', 'bigint'),
    column('exported_at', 'timestamptz'),
  ],
  /** Whether two texts of a gold model made the same rows: a row for each text that a run compared with the published one. */
  parity: [
    column('run_id', 'string'),
    column('model', 'string'),
    /** Names of texts: the one that made the table, and the other. */
    column('left', 'string'),
    column('right', 'string'),
    /** Of the table; null, as every figure, where they could not be compared. */
    column('rows', 'bigint'),
    /** Keys of the table, where the model says what is unique. */
    column('keys', 'bigint'),
    /** As JSON: by column the sums of both. */
    column('sums', 'string'),
    /** Rows that one of the two has alone, or that have another value by their key. */
    column('differing', 'bigint'),
    /** Of both texts and the snapshots that they read. */
    column('digest', 'string'),
    column('equal', 'boolean'),
    column('right_rows', 'bigint'),
    /** Hashes of the texts. */
    column('left_text', 'string'),
    column('right_text', 'string'),
    /** Why they could not be compared. */
    column('error', 'string'),
    column('compared_at', 'timestamptz'),
  ],
  /** A row for each run that was decided about before it was published: by a person, by conditions, or because its time had passed. */
  approvals: [
    column('run_id', 'string'),
    /** `approved` or `rejected`. */
    column('decision', 'string'),
    column('by', 'string'),
    column('reason', 'string'),
    column('at', 'timestamptz'),
    /** SHA-256 of what had been prepared. */
    column('digest', 'string'),
  ],
  /** What sources and tables looked like when they were diagnosed; a row for each figure, and one for what was found of each topic. */
  diagnostics: [
    column('diagnosis_id', 'string'),
    /** A table by full name, or `<pipeline>.<source>`. */
    column('name', 'string'),
    column('at', 'timestamptz'),
    column('topic', 'string'),
    /** A column, a partition or a day; null of all rows, and of what was found. */
    column('subject', 'string'),
    /** Of a key; masked where its column is personal. */
    column('value', 'string'),
    column('rows', 'bigint'),
    column('files', 'bigint'),
    column('bytes', 'bigint'),
    /** Of all rows. */
    column('percent', 'double'),
    column('skew', 'double'),
    column('warning', 'boolean'),
    column('found', 'string'),
    column('does', 'string'),
  ],
} as const satisfies Readonly<Record<string, readonly Column[]>>;

export type OpsTable = keyof typeof OPS_TABLES;

export const OPS_TABLE_NAMES = Object.keys(OPS_TABLES) as readonly OpsTable[];

/** The book that no run writes, beside making it: commands do, when they are asked to look. */
export const DIAGNOSTICS = 'diagnostics' satisfies OpsTable;

/** Those that only pipelines which export, have branches, have models of several texts, or are decided about have. */
const OF_SOME: readonly OpsTable[] = ['branches', 'exports', 'parity', 'approvals'];

/** The books that a pipeline has. */
export function booksOf(spec: Booked): readonly OpsTable[] {
  const branches: readonly OpsTable[] = spec.schedules === undefined ? [] : ['branches'];
  const parity: readonly OpsTable[] = spec.models.some(hasTexts) ? ['parity'] : [];
  const approvals: readonly OpsTable[] = spec.promote === undefined ? [] : ['approvals'];
  const exported: readonly OpsTable[] = exportsAnything(spec) ? ['exports'] : [];
  return [...EVERY_BOOK, ...branches, ...exported, ...parity, ...approvals];
}

type Booked = Exporting & {
  readonly schedules?: readonly unknown[];
  readonly promote?: unknown;
  readonly models: readonly { readonly implementations?: unknown }[];
};

function hasTexts({ implementations }: { readonly implementations?: unknown }): boolean {
  return implementations !== undefined;
}

/** The books that every pipeline has. */
export const EVERY_BOOK: readonly OpsTable[] = OPS_TABLE_NAMES.filter((name) => !OF_SOME.includes(name));

export function opsTable(pipeline: string, name: OpsTable): TableId {
  return { pipeline, layer: 'ops', name };
}

/** What is kept of runs for people who operate them. A run's rows may wait in an object for a later run to add them. */
export const FACT_TABLES = ['model_runs', 'lineage', 'quality'] as const satisfies readonly OpsTable[];

export type FactTable = (typeof FACT_TABLES)[number];

export function isFacts({ layer, name }: TableId): boolean {
  return layer === 'ops' && FACT_TABLES.some((one) => one === name);
}

function column(
  name: string,
  kind: 'string' | 'bigint' | 'int' | 'timestamptz' | 'date' | 'double' | 'boolean',
): Column {
  return { name, type: { kind } };
}
