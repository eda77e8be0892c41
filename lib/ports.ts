import type { JsonValue } from './core/json-value.ts';
import type { ObjectChange, ObjectParts, ObjectVersion, PlannedObject, SkippedName } from './core/objects.ts';
import type { SinkOutcome, SinkRun } from './core/serve.ts';
import type { CopyStatement, Statement } from './core/statement.ts';
import type { Database, TableId } from './core/tables.ts';
import type { TableMetadata } from './iceberg/types.ts';

/**
 * What steps and table operations need from the world. Each port is small, its failure modes are part of it, and one
 * contract suite per port runs on every adapter.
 */

export type ObjectInfo = {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Changes whenever the content changes. Of bronze it is a hash of the content: in a folder SHA-256, in S3 the ETag;
   * what is touched, copied or restored keeps it. Elsewhere a folder's is new with every write.
   */
  readonly etag: string;
  /** The etag that a folder gave files of bronze before it hashed them; absent elsewhere. */
  readonly former?: string;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Which of the versions that the store keeps of an overwritten object; absent where it keeps none. */
  readonly version?: string;
};

export type WriteCondition =
  | { readonly kind: 'any' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'match'; readonly etag: string };

export type WriteOutcome = { readonly kind: 'written'; readonly etag: string } | { readonly kind: 'conflict' };

/** What is lent, by `objectName` (core/objects.ts): by key, where no version was asked for. Disposing gives scratch space back. */
export type Borrowed = AsyncDisposable & {
  /** Local paths. */
  readonly paths: ReadonlyMap<string, string>;
  /** Of the objects asked for with an etag those that are not as they were: they have no path. */
  readonly changed: ReadonlyMap<string, ObjectChange>;
  /**
   * To be asked once everything has been read: objects lent with an etag that may have been other than they were when they
   * were lent while they were read. One that was only touched is named as well, and can be borrowed again. Nothing where
   * copies are lent.
   */
  verify(): Promise<ReadonlyMap<string, ObjectChange>>;
};

export type ListOptions = {
  /** True for keys that are of no interest, and for `<folder>/` where none below it is. They are left out unseen. */
  readonly ignore?: (key: string) => boolean;
  /** Hears of what is under the prefix but is no object. Without it, what hides a file ends the listing with InvalidInput. */
  readonly skipped?: (name: SkippedName) => void;
};

/**
 * Objects by key. A key is `<zone>/<rest>` with zone bronze, silver, gold or ops; any legal character may follow.
 * Throws ObjectNotFound for a missing key and Unavailable for passing faults; conditions answer, they never throw.
 */
export type ObjectStore = {
  /** Bytes that there are for copies of objects that are lent; left out where none are made, or nobody says. */
  readonly room?: number;
  /** Present: what is lent is the store's own file, and nothing is copied. */
  readonly inPlace?: true;
  read(key: string): Promise<{ readonly bytes: Uint8Array; readonly etag: string }>;
  /**
   * Bytes `start` up to before `end` of an object, fewer where it ends before. With an etag they are of the object that has
   * it: where another stands there by now it throws Unavailable. No checksum covers them; their number is compared.
   */
  readRange(
    object: string | ObjectVersion,
    start: number,
    end: number,
    etag?: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly etag: string }>;
  head(key: string, version?: string): Promise<ObjectInfo | undefined>;
  /**
   * All objects whose key starts with the prefix, in key order (UTF-8 byte order). Where overwritten objects are kept,
   * each content that a key of bronze has had since it was last removed is listed, the oldest first.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /**
   * The names one level below a prefix that is empty or ends in `/`, in byte order and without their `/`: `ops/p/runs/`
   * gives run ids without touching what the runs hold. The local store may name a folder that has become empty.
   */
  folders(prefix: string): Promise<readonly string[]>;
  /** All names one level below such a prefix, in byte order; those of folders end in `/`. `skipped` as in `list`. */
  names(prefix: string, skipped?: ListOptions['skipped']): Promise<readonly string[]>;
  /**
   * A reader sees the whole object or none of it; `absent` and `match` are atomic between processes. Where an etag is a
   * hash of the content, writing equal bytes keeps it: what has to be told apart must differ in its bytes.
   */
  write(key: string, bytes: Uint8Array, condition: WriteCondition): Promise<WriteOutcome>;
  /**
   * No error when the key is not there. Conditional writes of the same key at the same moment may come after it, and one
   * that was asked for long ago may still happen: what others write again under one name is replaced, not removed.
   */
  remove(key: string): Promise<void>;
  /**
   * Present where one request removes many objects, at most 1,000: as `remove` does each. All are tried, and the error names
   * those that were not removed. Whoever has many to remove asks `removeObjects` (lib/table/remove-objects.ts).
   */
  removeAll?(keys: readonly string[]): Promise<void>;
  /**
   * Local paths to read objects from; the local store hands out its own files. An object asked for with an etag is lent
   * only as it was when it had that etag; one that has changed, gone or become unreadable is among `changed` instead.
   */
  borrow(objects: readonly (string | PlannedObject)[]): Promise<Borrowed>;
  /**
   * Local paths of files that have parts of objects at their own places, and holes elsewhere, which read as zeros; by key,
   * each once. The local store hands out its own files, which have all that the objects have.
   */
  borrowParts(objects: readonly ObjectParts[]): Promise<Borrowed>;
  /** Moves a finished local file to `key`; repeating it with an equal file is harmless. */
  publish(path: string, key: string): Promise<ObjectInfo>;
  /** The location written into table metadata for a key, such as `s3://bucket/...` or `file:///...`. */
  location(key: string): string;
  /** The key of such a location. Throws InvalidInput for a location outside this store. */
  key(location: string): string;
};

export type CatalogEntry = {
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
  /** Opaque; equal versions mean the same state of the table. */
  readonly version: string;
};

/** Tables by name; `commit` is the only mutation of one. */
export type Catalog = {
  load(id: TableId): Promise<CatalogEntry | undefined>;
  /**
   * Swaps the table from `base` (undefined: the table must not exist) to `next`, whose metadata file it writes.
   * Ends as the new entry, CommitConflict (nothing happened) or CommitStateUnknown (re-read, then decide).
   * Repeating the commit that made the table's current state returns that state.
   */
  commit(id: TableId, base: CatalogEntry | undefined, next: TableMetadata): Promise<CatalogEntry>;
  /** All tables, or those of one database; those that are ignored are not looked at. */
  list(database?: Database, ignore?: (name: string) => boolean): Promise<readonly TableId[]>;
  /** Forgets the table; its files stay. */
  drop(id: TableId): Promise<void>;
  /**
   * The key of what says that a table was dropped, among its files, where the catalog keeps such a thing: it stays when the
   * others are removed, so that no commit of before can bring the table back.
   */
  tombstone(id: TableId): Promise<string | undefined>;
};

export type { JsonValue } from './core/json-value.ts';
export type { SinkOutcome, SinkRows, SinkRun, SinkTable } from './core/serve.ts';
export type { CopyStatement, Statement } from './core/statement.ts';

/** Row values as JSON keeps them without loss: bigint beyond 2^53 and decimals as strings, dates and times as ISO text. */
export type Row = { readonly [column: string]: JsonValue };

/** One Parquet file a COPY ... RETURN_STATS wrote. Bounds are text as DuckDB prints them. */
export type WrittenFile = {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** Partition column -> value as text, in PARTITION_BY order; empty when not partitioned. */
  readonly partition: readonly { readonly column: string; readonly value: string | null }[];
  /** Leaf column path -> statistics. A list's element is `element`. */
  readonly columns: readonly ColumnStats[];
};

export type ColumnStats = {
  readonly path: readonly string[];
  readonly bytes: number;
  readonly values: number;
  readonly nulls: number;
  readonly min: string | null;
  readonly max: string | null;
  readonly hasNan: boolean;
};

/** A DuckDB session: its own in-memory database, which disposing closes. Throws EngineError naming the statement. */
export type Session = AsyncDisposable & {
  run(statement: Statement): Promise<void>;
  rows(statement: Statement): Promise<readonly Row[]>;
  /** Column names and DuckDB types of a query, without running it. */
  describe(statement: Statement): Promise<readonly { readonly name: string; readonly type: string }[]>;
  /** A COPY ... TO (..., RETURN_STATS). Files of a first attempt that met a -0.0 may stay in the folder. */
  copy(statement: CopyStatement): Promise<readonly WrittenFile[]>;
  /** DuckDB's parse tree of a SELECT, as json_serialize_sql gives it; throws EngineError with the position. */
  parse(sql: string): Promise<JsonValue>;
  /** Stops the statement that is at work, which then fails; does nothing when none is. */
  interrupt(): void;
};

export type SessionOptions = {
  /** Bytes DuckDB may use before it spills to `scratch`. */
  readonly memoryBytes: number;
  readonly threads: number;
  readonly scratch: string;
  /** Bytes that may be spilled; left out: what the disk has. */
  readonly spillBytes?: number;
  /** The folders whose files SQL may read and write, for SQL that others wrote; undefined: all that this process may. */
  readonly folders?: readonly string[] | undefined;
  /** For SQL with TRY: an expression that stands in two places is worked out in both, so that neither raises for the other. */
  readonly guarded?: boolean;
  /** A file to which each statement writes what it did, as JSON; left out: none is written. It has to be in one of `folders`. */
  readonly profile?: string;
};

export type Engine = { open(options: SessionOptions): Promise<Session> };

export type Clock = { now(): Date };

export type Ids = {
  /** Short random text, safe in file names. */
  unique(): string;
  uuid(): string;
  /** A positive random 63-bit number for an Iceberg snapshot. */
  snapshot(): bigint;
};

export type LogFields = { readonly [field: string]: string | number | boolean | null };
export type Log = { info(event: string, fields?: LogFields): void; warn(event: string, fields?: LogFields): void };

/** Messages for people: one for each run that needs them. Throws Unavailable for passing faults. */
export type Alerts = { publish(alert: { readonly subject: string; readonly message: string }): Promise<void> };

/** Tells others of what a run did. Throws Unavailable for passing faults; what was told may be told again. */
export type SendEvents = (events: readonly { readonly [name: string]: JsonValue }[]) => Promise<void>;

/** Starts executions of the pipeline's state machine; a name that was used before starts nothing. Throws Unavailable for passing faults. */
export type Executions = { start(name: string, input: JsonValue): Promise<'started' | 'exists'> };

/** What one landing of a source's origin came to. */
export type LandedOrigin = {
  /** In bronze, new. */
  readonly files: readonly { readonly key: string; readonly bytes: number }[];
  readonly records: number;
  /** Why there are none: the origin has no records, or those that were landed last, or another has landed others meanwhile, or is about to. */
  readonly nothing?: 'empty' | 'unchanged' | 'overtaken';
};

/**
 * Lands what a source's origin has, in bronze below a prefix that ends in `/`: all of it or nothing, and nothing again that was
 * landed last. Throws InvalidInput where someone has to change something, Unavailable for passing faults; neither says a secret.
 */
export type Lander = { land(prefix: string): Promise<LandedOrigin> };

/** A record of a topic, in the bytes in which it was written. */
export type TopicRecord = {
  readonly offset: bigint;
  /** Milliseconds since the epoch. */
  readonly timestamp: bigint;
  readonly key: Uint8Array | null;
  readonly headers: readonly (readonly [Uint8Array | null, Uint8Array | null])[];
  readonly value: Uint8Array | null;
};

/** What was read of a partition; `next` is after all that was looked at, whatever has no record there. */
export type TopicSlice = {
  readonly partition: number;
  readonly records: readonly TopicRecord[];
  readonly next: bigint;
};

/**
 * A topic that is read from offsets that are given, by partition. Nothing is noted of who has read what. Throws Unavailable for passing
 * faults, and where the topic is no longer what it was; InvalidInput where someone has to change something.
 */
export type TopicReader = AsyncDisposable & {
  /** The topic as it is now; its id is another once it has been made anew. */
  describe(): Promise<{ readonly id: string; readonly partitions: number }>;
  /** The first offset that is there, and the one that comes after the last. */
  bounds(partition: number): Promise<{ readonly start: bigint; readonly end: bigint }>;
  /** What there is from the offsets on, of some partitions; waits so long where there is nothing. */
  read(from: ReadonlyMap<number, bigint>, waitMs: number): Promise<readonly TopicSlice[]>;
};

/** What a function without an engine notes about its own doings. */
export type AuditRow = {
  readonly at: Date;
  readonly function: string;
  readonly event: string;
  readonly run_id: string | null;
  readonly detail: string;
};

export type AuditLog = { append(rows: readonly AuditRow[]): Promise<void> };

/**
 * Tables outside the lake. All tables of a run are there at once or none is; a run that has been served is served no second time,
 * whatever its tables are by now. Throws InvalidInput for what only a person can put right, a clash of types before anything is begun;
 * Unavailable for passing faults, after which it may be called again.
 */
export type Sink = { publish(run: SinkRun): Promise<readonly SinkOutcome[]> };
