export type ModelMode = AppendMode | { readonly kind: 'replace' } | { readonly kind: 'full' } | KeyedMode;

export type AppendMode = {
  readonly kind: 'append';
  readonly dedupe: Dedupe | null;
  /**
   * What becomes of a row whose key is in the table, or earlier in the batch, with other content: `drop` counts it as a
   * duplicate, `condemn` keeps it in quarantine (DUPLICATE_FAILURE, condemned). Always `drop` without dedupe by key.
   */
  readonly onDuplicate: 'drop' | 'condemn';
};

/**
 * `upsert` (SCD1: the latest row of a key) and `scd2` (every version of a key). Both are a pure function of the set of
 * events ever accepted for a key, which a companion table `<table>__log` keeps.
 */
export type KeyedMode = {
  readonly kind: 'upsert' | 'scd2';
  readonly key: readonly string[];
  /** Orders the events of a key; any orderable type. */
  readonly sequence: string;
  /** Columns whose change makes a new version. */
  readonly track: readonly string[];
  /** An event for which this holds deletes its key. */
  readonly deleteWhen: string | null;
  /** ORDER BY terms that choose between different rows of one key and sequence; the row hash decides what they leave open. */
  readonly tieBreak: string | null;
  /** `delete`: each file is a full extract, and keys that it lacks are deleted at its sequence. */
  readonly missing: 'keep' | 'delete';
  /** The column with which the source ends a version itself. */
  readonly validTo: string | null;
  /** false: neighbouring versions that are equal stay separate rows. */
  readonly coalesce: boolean;
  /** Buckets of the key that the table is partitioned by; null: chosen by the first run from the size of its batch. */
  readonly buckets: number | null;
  /** `range`: keys that are near each other lie in one file; left out: in buckets. Rows do not follow from it. */
  readonly clusterBy?: 'hash' | 'range';
  /** How a merge takes rows out of the table; left out: by writing the buckets that had them anew. Rows do not follow from it. */
  readonly writeMode?: 'copy-on-write' | 'merge-on-read';
};

export type Dedupe =
  | { readonly by: 'row' }
  | {
      readonly by: 'key';
      readonly columns: readonly string[];
      /** ORDER BY terms that say which of a run's rows with one key stays; left out: the first. */
      readonly keep?: string;
    };
