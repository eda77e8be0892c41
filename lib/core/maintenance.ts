import {
  type CompactRequest,
  MAINTENANCE_OPERATIONS,
  type MaintenanceOperation,
  type MaintenanceRequest,
} from './asked.ts';
import type { Compute } from './compute.ts';
import type { CompactionCost } from './cost.ts';
import type { UnitsRef } from './level-state.ts';
import type { WrittenBy } from './plan-format.ts';
import type { Measured } from './requests.ts';
import type { BaseTable, HeldRun, OpenInput, RunRef } from './run.ts';
import type { PipelineSettings } from './spec.ts';
import type { TableId } from './tables.ts';

/**
 * Why a file is rewritten: it is far below the target size, far above it, all rows are to be ordered anew, or another engine
 * has deleted rows of it by position.
 */
export const REWRITE_REASONS = ['small', 'large', 'order', 'deleted'] as const;
export type RewriteReason = (typeof REWRITE_REASONS)[number];

/** Files of one partition that are written anew together. */
export type Bin = {
  readonly spec: number;
  /** The partition as a path, `order_ts_month=2020-01`; '' where the table has none. */
  readonly partition: string;
  readonly reason: RewriteReason;
  readonly files: readonly BinFile[];
  readonly rows: number;
  readonly bytes: number;
  /** Bytes after which the next file is begun. */
  readonly file_bytes: number;
  /** Of all that each column of a Z-order has, the part that these files lie over; left out where it does not matter. */
  readonly widths?: readonly number[];
};

/** By its location. `foreign`: another engine wrote it, so it may lack field ids. */
export type BinFile = {
  readonly path: string;
  readonly foreign: boolean;
  /** Those that are deleted by position included; plans of an earlier release do not say. */
  readonly rows?: number;
  readonly deleted?: DeletedRows;
};

/** What takes rows out of a data file by their position; sequence numbers as text. */
export type DeletedRows = {
  readonly sequence: string;
  readonly by: readonly { readonly path: string; readonly sequence: string }[];
};

/** One worker's job: bins of one table. */
export type RewriteUnit = { readonly unit: string; readonly table: string; readonly bins: readonly Bin[] };

/** One item of a list of such units. */
export type RewriteItem = { readonly round: number; readonly unit: string };
export type RewriteInput = { readonly run: HeldRun; readonly unit: RewriteItem };

/** What a run of maintenance set out to do. Written once. */
export type MaintenancePlan = WrittenBy & {
  readonly run: RunRef;
  readonly created_at: string;
  readonly request: CompactRequest;
  readonly tables: readonly MaintainedTable[];
  readonly planning_ms: number;
  /** It takes nothing in. */
  readonly sources: Readonly<Record<string, never>>;
  /** By what it is priced, as its pipeline says it; left out by earlier releases. */
  readonly priced_by?: { readonly settings: Pick<PipelineSettings, 'hourlyRate'>; readonly compute: Compute };
};

/** A table whose files are rewritten, under the name by which the run knows it: `silver.sales`. */
export type MaintainedTable = {
  readonly id: string;
  readonly table: TableId;
  /** As it was when it was planned. */
  readonly base: BaseTable;
  /** Bytes of a data file, and small files that a partition needs to be rewritten. */
  readonly target_bytes: number;
  readonly min_files: number;
  /** Bytes of Parquet that one worker takes. */
  readonly unit_bytes: number;
  readonly sort: readonly string[];
  readonly zorder: readonly string[];
  /** All rows are laid out anew, whatever the sizes of their files. */
  readonly rearrange: boolean;
  /** Its rows know their bronze file. */
  readonly with_file: boolean;
  /** The plan has looked at all that was to be looked at. */
  readonly complete: boolean;
  /** Its small manifests are merged, in the first round; left out: they are not. */
  readonly manifests?: ManifestCounts;
};

/** Manifests of a table that are merged, and how many come of them. */
export type ManifestCounts = { readonly merged: number; readonly into: number };

/** What becomes of one table, by sizes. */
export type CompactedTable = {
  readonly table: string;
  readonly partitions: number;
  readonly files: number;
  readonly bytes: number;
  readonly rows: number;
  /** About how many files come of them; after the run: how many did. */
  readonly files_after: number;
  /** Null before the run. */
  readonly bytes_after: number | null;
  /** Files by why they are rewritten. */
  readonly reasons: Readonly<Partial<Record<RewriteReason, number>>>;
  /** Left out where no manifests are merged. */
  readonly manifests?: ManifestCounts;
};

export type MaintenanceState = {
  /** planned: work to do. nothing: no file is worth rewriting, or only the plan was asked for. done: this run_id has ended before. */
  readonly status: 'planned' | 'nothing' | 'done';
  readonly request: OpenInput;
  readonly run: HeldRun;
  /** Files that a run of the pipeline replaced meanwhile are planned again in the next round. */
  readonly round: number;
  readonly rewrite?: UnitsRef;
  /** With `dry_run`: what would be done, the first tables of it. */
  readonly plan?: readonly CompactedTable[];
  /** And what that would take on AWS. */
  readonly cost?: CompactionCost;
  readonly commit?: Measured;
  /** Operations that come after the compaction, or in its place; the first is under way. */
  readonly sweep?: { readonly left: readonly SweepOperation[] };
  /** With `dry_run`: what these would do, the first tables of it. */
  readonly swept?: Swept;
};

/** What is left as it was, and why. */
export type LeftPartition = { readonly table: string; readonly partition: string; readonly reason: string };

/** What a run of maintenance answers. */
export type MaintenanceResult = {
  readonly run_id: string;
  readonly pipeline: string;
  readonly kind: 'compact';
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly tables: readonly CompactedTable[];
  /** Partitions that other runs kept changing, or whose files could not be rewritten; the first of them. */
  readonly left: readonly LeftPartition[];
  readonly rounds: number;
  readonly duration_ms: number;
  readonly error: { readonly name: string; readonly message: string } | null;
};

/** Operations that forget and remove, one table after the other. */
export type SweepOperation = Exclude<MaintenanceOperation, 'compact'>;

/** What expiry did to one table, or would do. */
export type ExpiredTable = {
  readonly table: string;
  readonly snapshots: number;
  readonly snapshots_left: number;
  /** ISO instant since when the table can be read as of any moment; null for one without a snapshot. */
  readonly readable_since: string | null;
  readonly data_files: number;
  readonly data_bytes: number;
  /** Manifests, manifest lists and statistics. */
  readonly metadata_files: number;
};

/** What a vacuum did in one folder, or would do. */
export type Vacuumed = {
  /** The table; for the books of a pipeline the folder of its runs. */
  readonly table: string;
  /**
   * `dropped`: the folder of a table that is no more. `runs`: what ended runs needed. `rows`: of quarantine, past their time. `names`: under
   * which engines knew tables for runs.
   */
  readonly kind: 'table' | 'dropped' | 'runs' | 'rows' | 'names';
  readonly files: number;
  readonly bytes: number;
  /** Of quarantine. */
  readonly rows?: number;
  readonly names?: number;
};

/** A table that was left as it is, and why; the others were dealt with. */
export type FailedTable = { readonly table: string; readonly error: string };

export type SweepAnswer<Table> = {
  readonly pipeline: string;
  readonly dry_run: boolean;
  /** The folder of the record of what was removed; null where nothing was to be. */
  readonly record: string | null;
  readonly tables: readonly Table[];
  readonly failed: readonly FailedTable[];
};

export type ExpireAnswer = SweepAnswer<ExpiredTable>;
export type VacuumAnswer = SweepAnswer<Vacuumed> & {
  /** Folders of tables that no catalog knows, and of which nothing says that they were dropped: they stay. */
  readonly unknown: readonly string[];
};

export type Swept = { readonly expire?: ExpireAnswer; readonly vacuum?: VacuumAnswer };

/** What maintenance is asked for, with its operations in order; executions of earlier releases say `compact` alone. */
export function maintenanceOf({
  maintenance,
  compact,
}: Pick<OpenInput, 'maintenance' | 'compact'>): MaintenanceRequest {
  if (maintenance !== undefined) {
    return { ...maintenance, operations: MAINTENANCE_OPERATIONS.filter((one) => maintenance.operations.includes(one)) };
  }
  const { table, ...options } = compact ?? {};
  return { operations: ['compact'], ...(table === undefined ? {} : { table }), compact: options };
}

export function sweepsOf(request: Pick<OpenInput, 'maintenance' | 'compact'>): readonly SweepOperation[] {
  return maintenanceOf(request).operations.filter((one) => one !== 'compact');
}
