import type { ColumnOrigins } from './column-origins.ts';
import type { Compute, Slo } from './compute.ts';
import type { Descriptions } from './described.ts';
import type { Expectation } from './expectation.ts';
import type { ExportSpec } from './exports.ts';
import type { GoldRefresh, Implementations } from './implementation.ts';
import type { LineageReceiver } from './lineage-receiver.ts';
import type { OwnRules } from './maintenance-rules.ts';
import type { ModelMode } from './model-mode.ts';
import type { Origin } from './origins.ts';
import type { PromoteSpec } from './promote.ts';
import type { Renamed } from './renames.ts';
import type { Grain, RunDate } from './run-date.ts';
import type { Branch } from './schedule/branch.ts';
import type { ServeSpec } from './serve.ts';
import type { TableRef } from './table-ref.ts';
import type { Column, ColumnType } from './types.ts';
import type { Webhook } from './webhook.ts';

export type { Expectation, ExpectationPolicy } from './expectation.ts';
export type { GoldRefresh } from './implementation.ts';
export type { AppendMode, Dedupe, KeyedMode, ModelMode } from './model-mode.ts';
export { type Layer, modelId, type TableRef } from './table-ref.ts';

/**
 * PipelineSpec: what a pipeline is after compilation. Plain JSON, SQL inlined, every model bound to its columns;
 * it travels with a run's plan and with the Lambda bundles, and nothing at run time evaluates user code.
 */
export type PipelineSpec = {
  readonly specVersion: 1;
  readonly name: string;
  readonly owner: string | null;
  readonly tier: number | null;
  readonly description: string | null;
  readonly schedule: string | null;
  /** The schedules of its branches; left out for none. */
  readonly schedules?: readonly Branch[];
  /** In which `run_date()` is a day; left out: UTC. */
  readonly timezone?: string;
  /** Present: its SQL names the run date, in a model or in a condition. */
  readonly dated?: true;
  /** Present: its SQL folds case. */
  readonly folds?: true;
  /** In the plan of a run: its date. Compiled, and in plans of earlier releases: none. */
  readonly runAt?: RunDate;
  readonly settings: PipelineSettings;
  /** What each step has on AWS. */
  readonly compute: Compute;
  readonly slo: Slo;
  /** Null: runs are not halted for the rows that they reject. */
  readonly breaker: Breaker | null;
  /** What has to happen before a run is published; left out: nothing. */
  readonly promote?: PromoteSpec;
  /** Where alerts go beside what they go to anyway; left out: nowhere. */
  readonly alerts?: { readonly webhook: Webhook };
  /** Where runs are told of as OpenLineage events; left out: nowhere. */
  readonly openlineage?: LineageReceiver;
  /** What is served outside the lake; left out: nothing. */
  readonly serve?: ServeSpec;
  /** Left out: by the defaults. */
  readonly maintenance?: OwnRules;
  /** What a run does when rows of a silver table would be others by the pipeline of now; left out: it stops. */
  readonly onChange?: 'backfill' | 'forward';
  /** How new files are found; left out: by the defaults. */
  readonly discover?: Discover;
  /** Variables that SQL names as `var('name')`. */
  readonly vars?: readonly Variable[];
  readonly sources: readonly SourceSpec[];
  /** All models, silver before gold, each after the models it reads. */
  readonly models: readonly ModelSpec[];
  /** Model ids (`silver.x`, `gold.y`) by level: a level reads only sources and lower levels. */
  readonly levels: readonly (readonly string[])[];
  /** Tables of other pipelines that gold models read; left out for none. */
  readonly others?: readonly OtherTable[];
  /** Pipelines after whose runs this one runs; left out for none. */
  readonly after?: readonly string[];
};

/** A table of another pipeline, a log among them, with the columns that its pipeline gives it. */
export type OtherTable = Required<TableRef> & {
  readonly columns: readonly Column[];
  /** Those of its columns that are personal; left out for none. */
  readonly personal?: readonly string[];
};

/** What a run may be given; its value as text, null for NULL. Compiled: the default. In a plan: that of the run. */
export type Variable = Column & {
  readonly value: string | null;
  readonly description: string | null;
  /** The texts of the values that it may have beside NULL; left out: any of its type. */
  readonly in?: readonly string[];
};

/** A run that events have started compares all of bronze when that was last done so many milliseconds ago. */
export type Discover = { readonly reconcileMs: number };

export const DEFAULT_RECONCILE_MS = 24 * 3_600_000;

export type PipelineSettings = {
  /** Estimated uncompressed input bytes per stage unit. */
  readonly unitBytes: number;
  /** Target size of a data file, in bytes. */
  readonly fileBytes: number;
  /** Days that condemned rows are kept in quarantine. */
  readonly condemnedRetentionDays: number;
  /** Days that what is kept of runs stays; left out: by default. */
  readonly factsRetentionDays?: number;
  /** US dollars of an hour of the machine that runs it, where that is nobody's bill; left out: the default. */
  readonly hourlyRate?: number;
};

/** More than `rows` rows of one error code within `windowMs` halt the pipeline until a person closes the breaker. */
export type Breaker = { readonly rows: number; readonly windowMs: number };

export type SourceFormat =
  | {
      readonly kind: 'csv';
      readonly delimiter: string;
      readonly quote: string;
      readonly escape: string;
      readonly header: boolean;
      readonly encoding: 'utf-8' | 'utf-16' | 'latin-1';
      readonly nullText: readonly string[];
    }
  | { readonly kind: 'json'; readonly layout: 'lines' | 'array' }
  | { readonly kind: 'parquet' };

export type DriftPolicy = 'evolve' | 'ignore' | 'fail';

/** A reference file that travels with the pipeline. Its object, below `bronze/<pipeline>/_seeds/`, is named by its content. */
export type SeedFile = {
  /** Path in the pipeline's folder. */
  readonly path: string;
  /** Of the object: `currencies-<hash>.csv`. */
  readonly name: string;
  readonly bytes: number;
  /** Left out of the plans of runs, which find the object. */
  readonly text?: string;
};

export type SourceSpec = {
  readonly name: string;
  readonly format: SourceFormat;
  readonly columns: readonly ContractColumn[];
  /** The business key, by names in `batch.<source>`, by which the attempts of rejected rows are counted; [] for none. */
  readonly key: readonly string[];
  readonly drift: DriftPolicy;
  /** Patterns of paths below the source's folder that are none of its files (lib/core/glob.ts). */
  readonly ignore: readonly string[];
  /** The branch whose runs take its files; left out: all runs do. */
  readonly branch?: string;
  /** Present: its one file is the pipeline's own. */
  readonly seed?: SeedFile;
  /** Present: `strata fetch` lands its files; left out: others do. */
  readonly origin?: Origin;
};

/** How text becomes a typed value. `auto`: DuckDB's strict cast; `strptime`: the given formats, first match wins. */
export type ParseFormat =
  | { readonly kind: 'auto' }
  | { readonly kind: 'numeric' }
  | { readonly kind: 'epoch_seconds' }
  | { readonly kind: 'epoch_millis' }
  | { readonly kind: 'strptime'; readonly formats: readonly string[] };

export type ContractColumn = {
  /** The name in the file. */
  readonly source: string;
  /** The name in `batch.<source>`. */
  readonly name: string;
  readonly type: ColumnType;
  readonly parse: ParseFormat;
  readonly required: boolean;
  readonly checks: readonly ColumnCheck[];
  /** Names that it had before, in files and in tables, the latest first; left out for none. */
  readonly renamedFrom?: readonly string[];
  /** As text: the value in rows of files that lack the column; left out: they have NULL. */
  readonly default?: string;
  /** What it holds is shown only to who asks for it; left out: it is not personal. */
  readonly personal?: true;
  /** What it is, for readers; left out: nobody says. */
  readonly description?: string;
};

/** A row that breaks a check is quarantined with the check's code. NULL passes every check but `required`. */
export type ColumnCheck =
  | { readonly kind: 'min'; readonly value: string; readonly code: string }
  | { readonly kind: 'max'; readonly value: string; readonly code: string }
  | { readonly kind: 'in'; readonly values: readonly string[]; readonly code: string }
  | { readonly kind: 'pattern'; readonly regex: string; readonly code: string }
  | { readonly kind: 'sql'; readonly condition: string; readonly code: string };

export type Transform =
  | { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' }
  | { readonly kind: 'bucket' | 'truncate'; readonly width: number };

export type PartitionField = { readonly column: string; readonly transform: Transform };

/** A table left-joined by a silver model, with the columns of it that the join equates. */
export type DimensionJoin = { readonly table: TableRef; readonly keys: readonly string[] };

type ModelCommon = {
  readonly id: string;
  readonly name: string;
  /** For silver: rewritten so that it carries the hidden row number `__rid` through. For gold: as written. */
  readonly sql: string;
  readonly sqlFile: string | null;
  readonly columns: readonly Column[];
  readonly reads: readonly TableRef[];
  readonly partitionBy: readonly PartitionField[];
  readonly sortBy: readonly string[];
  /** Along whose Z-order compactions lay rows; left out for none. */
  readonly zorderBy?: readonly string[];
  readonly expect: readonly Expectation[];
  readonly description: string | null;
  /** What its columns are, those of its table that a run adds among them; left out: nobody says. */
  readonly described?: Descriptions;
  /** Where its columns come from; left out by earlier releases. */
  readonly origins?: ColumnOrigins;
  /** Columns that hold what is personal, and are shown only to who asks for it; left out for none. */
  readonly personal?: readonly string[];
  /** The branch whose runs compute it; left out: all runs do. */
  readonly branch?: string;
  /** By which selectors find it; left out for none. */
  readonly tags?: readonly string[];
  /** Left out: those of the pipeline. */
  readonly owner?: string;
  readonly tier?: number;
  /** What it is written to beside its table; left out for nothing. */
  readonly exports?: readonly ExportSpec[];
  /** By a column's name: those that it had before, the latest first; left out where no column had another. */
  readonly renamed?: Renamed;
  /** Variables that the SQL uses, with their values; left out when it uses none. */
  readonly vars?: Readonly<Record<string, string | null>>;
};

/** A column that a run adds to an append table. `METADATA_TYPES` has what each holds. */
export type MetadataColumn = 'row_hash' | 'source_file' | 'attempt' | 'ingested_at' | 'run_id';

export type SilverModel = ModelCommon & {
  readonly layer: 'silver';
  readonly from: string;
  readonly mode: ModelMode;
  /** Metadata columns of the table, after `columns`; only with mode append. */
  readonly metadata: readonly MetadataColumn[];
  readonly joins: readonly DimensionJoin[];
  /** True for `select *`: columns that drift adds to the source reach the table. */
  readonly selectsAll: boolean;
  /** Rows whose time in this column is so many days before the run date come too late; left out: none do. */
  readonly closeAfter?: { readonly column: string; readonly days: number };
  /** A table that is not there yet takes only what lands from now on; left out: all that its source has had. */
  readonly backfill?: 'never';
  /** Hash of the SQL as it was written, by which a table knows it whatever the compiler makes of it. */
  readonly written?: string;
};

export type GoldModel = ModelCommon & {
  readonly layer: 'gold';
  /** Keyed tables whose log the SQL names as `silver.<table>__log`; they are among `reads` as well. */
  readonly readsLogs: readonly TableRef[];
  readonly refresh: GoldRefresh;
  /** Present: the SQL names the run date, and the table is computed when that is another at this grain. */
  readonly dueBy?: Grain;
  /** Present: it has several texts by name, of which one makes it what it is here. */
  readonly implementations?: Implementations;
};

export type ModelSpec = SilverModel | GoldModel;
