import type { AppendMode, Dedupe, KeyedMode, ModelMode } from '../core/spec.ts';

/** A keyed mode as written: `track: null` stands for all columns that are neither key nor sequence nor `validTo`. */
export type KeyedDefinition = Omit<KeyedMode, 'track'> & { readonly track: readonly string[] | null };

/** What `append()`, `replace()`, `full()`, `upsert()` and `scd2()` give. */
export type ModeDefinition = Exclude<ModelMode, KeyedMode> | KeyedDefinition;

type NoKey = {
  /**
   * Which rows are the same row, compared within the batch and with the table; the first one stays, the others are counted.
   * - `'row'`: rows whose columns are all equal.
   * - `{ key: ['a', 'b'] }`: rows equal in these columns.
   * Default: none, every accepted row is added.
   */
  readonly dedupe?: 'row';
  readonly onDuplicate?: never;
};

type ByKey = {
  /**
   * Rows equal in these columns are the same row: one stays, and a row that is in the table stays there. Of those of a run it is the first, or with
   * `keep`, ORDER BY terms over the model's columns such as `'quota desc'`, the one that comes first by these; what they leave
   * open is decided by the values of all columns, never by which file came first.
   */
  readonly dedupe: { readonly key: string | readonly string[]; readonly keep?: string };
  /**
   * What becomes of a later row with a key that is there already. A row that is equal in all columns is dropped and
   * counted either way; of those that differ,
   * - `'drop'` drops and counts them too,
   * - `'condemn'` keeps them in quarantine as condemned, with the code `DUPLICATE_FAILURE`.
   * Default `'drop'`.
   */
  readonly onDuplicate?: AppendMode['onDuplicate'];
};

export type AppendOptions = NoKey | ByKey;

/** What both keyed modes have. */
export type KeyedOptions = {
  /** The column or columns that say which rows are about the same thing. A row with a NULL in one: `NULL_KEY`. */
  readonly key: string | readonly string[];
  /**
   * The column that orders the events of a key: a number, date, timestamp, text or struct. Rows count by it and not by
   * when they arrive, so late, repeated and shuffled files give the same table. A row without it: `NULL_SEQUENCE`.
   * In the key only of an `upsert` of snapshots, with a `tieBreak`.
   */
  readonly sequence: string;
  /** An SQL condition over the model's columns: a row for which it is true deletes its key from then on. */
  readonly deleteWhen?: string;
  /**
   * Which of several different rows with one key and one sequence counts: `ORDER BY` terms over the model's columns, best
   * first, such as `'salary desc'`. What they leave open is decided by the row hash, so never by chance.
   */
  readonly tieBreak?: string;
  /**
   * `'delete'`: each file is a full extract, so a key that it lacks is deleted at the extract's sequence and comes back
   * when a later file has it. Default `'keep'`.
   */
  readonly missing?: KeyedMode['missing'];
  /**
   * Columns whose change makes a new version; others are kept at their latest value. Default: all columns that are
   * neither key nor sequence nor `validTo`. Columns that drift adds later are not tracked.
   */
  readonly track?: readonly string[];
  /** Buckets of the key that the table is split into, 1 to 4096. Default: chosen by the first run, about 32 MB of the table in each. */
  readonly buckets?: number;
  /**
   * Which keys lie together.
   * - `'hash'`: those of a bucket, whatever their values, so that changes of any keys are shared evenly.
   * - `'range'`: those that are near each other, for keys that arrive near each other, such as growing numbers or dates: a merge then writes only
   *   the files anew between whose first and last key something has changed. Orders by the first column of the key. Not with `buckets`, nor with
   *   `writeMode: 'merge-on-read'`.
   * A table that is there keeps what it has until `strata rebuild`. Default: `'range'` where the key is one whole number (`int`, `bigint`), since
   * such are given out in order, and neither `buckets` nor `'merge-on-read'` is asked for; else `'hash'`.
   */
  readonly clusterBy?: 'hash' | 'range';
  /**
   * How a merge takes rows out of the table.
   * - `'copy-on-write'`: the buckets that have them are written anew.
   * - `'merge-on-read'`: data files stay, and files of position deletes say which of their rows are gone. A merge writes less, readers
   *   read more until the next compaction.
   * Either can follow the other; a table whose keys lie in ranges is written anew until `strata rebuild` puts them in buckets. Default
   * `'copy-on-write'`.
   */
  readonly writeMode?: 'copy-on-write' | 'merge-on-read';
};

export type UpsertOptions = KeyedOptions;

export type Scd2Options = KeyedOptions & {
  /**
   * A column, of the sequence's type, in which the source itself says when a version ends. The version then ends at this
   * or at the next version's start, whichever is earlier; NULL leaves it open.
   */
  readonly validTo?: string;
  /** False: neighbouring versions that are equal in the tracked columns stay separate rows. Default true. */
  readonly coalesce?: boolean;
};

/** New rows are added to the table. The default mode. */
export function append(options: AppendOptions = {}): AppendMode {
  return { kind: 'append', dedupe: dedupeOf(options.dedupe), onDuplicate: options.onDuplicate ?? 'drop' };
}

/** The partitions that the batch touches become the batch's rows; other partitions stay. Needs `partitionBy`. */
export function replace(): ModeDefinition {
  return { kind: 'replace' };
}

/** The table becomes the batch: what it held before is gone from its current snapshot. */
export function full(): ModeDefinition {
  return { kind: 'full' };
}

/**
 * One row per key: the latest by sequence (SCD type 1). Every event is kept in `<table>__log`, which gold models may
 * read as `silver.<table>__log`.
 */
export function upsert(options: UpsertOptions): KeyedDefinition {
  return keyed('upsert', options);
}

/**
 * One row per version of a key (SCD type 2), with `valid_from` and `valid_to` in the sequence's type (half-open, NULL while
 * it lasts) and `is_current`. Every event is kept in `<table>__log`, which gold models may read as `silver.<table>__log`.
 */
export function scd2(options: Scd2Options): KeyedDefinition {
  return keyed('scd2', options);
}

const KEYED_DEFAULTS = {
  track: null,
  deleteWhen: null,
  tieBreak: null,
  missing: 'keep',
  validTo: null,
  coalesce: true,
  buckets: null,
} as const;

/** Properties of other names are passed on, so that compilation reports them. */
function keyed(kind: KeyedMode['kind'], options: UpsertOptions | Scd2Options): KeyedDefinition {
  return { ...KEYED_DEFAULTS, ...options, kind, key: namesOf(options.key) };
}

function dedupeOf(dedupe: AppendOptions['dedupe']): Dedupe | null {
  if (dedupe === undefined) return null;
  if (dedupe === 'row') return { by: 'row' };
  const { key, ...rest } = dedupe;
  return { by: 'key', columns: namesOf(key), ...rest };
}

function namesOf(names: string | readonly string[]): readonly string[] {
  return typeof names === 'string' ? [names] : names;
}
