import type { Asked } from './asked.ts';
import type { RunCost } from './cost.ts';
import type { ExportOutcome } from './exports.ts';
import type { FilePiece } from './file-piece.ts';
import type { KeyRanges } from './key-ranges.ts';
import type { Ladder, TableShare } from './ladder.ts';
import type { LevelState } from './level-state.ts';
import type { MaintenanceDue } from './maintenance-due.ts';
import type { Skipped } from './objects.ts';
import type { Parity, Shadow } from './parity.ts';
import type { WrittenBy } from './plan-format.ts';
import type { Gated, GateState } from './promote.ts';
import type { Measured, Spent, StepTiming } from './requests.ts';
import type { SourceCounts } from './row-counts.ts';
import type { BranchDone, PlannedPeriod } from './schedule/periods.ts';
import type { ServeOutcome, ServingState } from './serve.ts';
import type { ModelMode, PipelineSpec, SourceSpec } from './spec.ts';
import type { TableOutcome } from './table-outcome.ts';
import type { TableShape } from './table-shape.ts';
import type { RemovedTable } from './tables.ts';
import type { Column } from './types.ts';
import type { Waiter, Waiting } from './waiting.ts';

export type { PlacedFile } from './placed-file.ts';
export type { StepTiming } from './requests.ts';
export type { TableOutcome } from './table-outcome.ts';
export type { TableShape } from './table-shape.ts';

/** The JSON that steps hand to each other: references and counts, never rows, never lists that grow with the data. */
export type RunRef = {
  readonly pipeline: string;
  readonly run_id: string;
  readonly dry_run: boolean;
  /** Present: the run takes nothing in, it rewrites tables beside the pipeline's runs, under a lock of its own. */
  readonly kind?: 'maintenance';
};

/** A run and the taking of the pipeline's lock under which it is worked on; earlier releases gave none. */
export type HeldRun = RunRef & { readonly epoch?: number };

/** What an execution was started with. */
export type OpenInput = RunRef & Asked & Waiting;

export type RunState = LevelState &
  ServingState &
  GateState & {
    /**
     * planned: work to do. nothing: nothing new. done: this run_id has ended before. coalesced: another execution waits, and does
     * what this one was started for. awaiting: a run before it has to be decided about.
     */
    readonly status: 'planned' | 'nothing' | 'done' | 'coalesced' | 'awaiting';
    /** What the execution was started with; `run` is another one while an unfinished run is resumed. */
    readonly request: OpenInput;
    readonly run: HeldRun;
    /** Of an execution that was coalesced: the one that waits. */
    readonly behind?: Waiter;
    /** What Commit took, its tidying after its record included. */
    readonly commit?: Measured;
    /** What the tables need now that the run is in them. */
    readonly maintenance?: MaintenanceDue;
    /** Names in bronze that were skipped, of a run that has nothing to do. */
    readonly skipped?: Skipped;
    /** Of a run of a branch that has nothing to do: why. */
    readonly branch_done?: BranchDone;
    /** With nothing to do, of a run of no branch: those that have models of their own. */
    readonly branches?: readonly string[];
    /** With nothing to do: suspended files, the first of them. */
    readonly suspended?: readonly NamedFile[];
    /** With nothing to do: tables of models that the pipeline no longer has, the first of them. */
    readonly removed?: readonly RemovedTable[];
  };

/** One item of a unit list: where to find the unit, small enough for any Map. */
export type UnitItem = { readonly level: number; readonly unit: string };
export type UnitInput = { readonly run: HeldRun; readonly unit: UnitItem };

export type LandedFile = {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  /** Where the store keeps overwritten objects. */
  readonly version?: string;
  /** Where files of several runs are taken again: by which of them, in their order, it was taken before. */
  readonly batch?: number;
  /** Where it is taken again: rows of it are in a table, which must not lose them unsaid. */
  readonly ingested?: true;
  /** Of a content that is taken in the place of the one that it corrects: the run whose batch it counts in. */
  readonly place?: string;
  /** Present: a unit takes this part of the file alone. */
  readonly piece?: FilePiece;
  /** Present: a unit takes the file alone, in parts, one after the other. */
  readonly in_turn?: true;
};

/** A planned file that was not as planned when it was to be read. It is in no account and stays new to the ledger. */
export type LeftFile = LandedFile & { readonly reason: string };

/** What a run set out to do. Written once; everything after it is computed from it, so a run can be resumed anywhere. */
export type RunPlan = WrittenBy & {
  readonly run: RunRef;
  /** ISO instant: the only time a run knows. */
  readonly created_at: string;
  readonly spec: PipelineSpec;
  /**
   * By model id: the table as it was when the run was planned; null for a table that does not exist. Tables of other pipelines
   * that gold reads (`retail.gold.sales`) are pinned to their last published run, and so maybe to a snapshot before their last.
   */
  readonly tables: Readonly<Record<string, BaseTable | null>>;
  /** By source name: the files to ingest, listed in an object of their own. */
  readonly sources: Readonly<Record<string, PlannedSource>>;
  /**
   * By model id, where tables of a source take different files: those of each, and null for one that is left as it is. Left out: all
   * take the files of their source.
   */
  readonly own_files?: Readonly<Record<string, PlannedSource | null>>;
  readonly planning_ms: number;
  /** What Open asked S3 for until the plan was written. */
  readonly planning_spent?: Spent;
  /** The quarantine as it was when the run was planned. */
  readonly quarantine: BaseTable | null;
  /** Bytes of a unit where memory is short when the run is planned; left out: the pipeline's own. */
  readonly unit_bytes?: number;
  /** Keyed models to recompute from their logs. */
  readonly rebuild: readonly string[];
  /** Bronze files whose events are withdrawn before they are ingested again. */
  readonly withdraw: readonly string[];
  /** Ids of the models from whose tables they are withdrawn; left out: from all. */
  readonly withdraw_from?: readonly string[];
  /** Of a run of a branch: which, and for which period. */
  readonly branch?: PlannedPeriod;
  /** Ids of the models that the run is about; left out: all. */
  readonly selected?: readonly string[];
  /** Silver models whose tables are made anew from bronze: what they hold counts for nothing. Left out: none. */
  readonly anew?: readonly string[];
  /** Present: of these tables only the partitions of a time (ISO; from inclusive, to exclusive) are. */
  readonly window?: { readonly from?: string; readonly to?: string };
  /** Models whose tables are asked about expectations that are new or others, also without new rows. Left out: none. */
  readonly checks?: readonly string[];
  /** Names in bronze that were skipped when the run was planned; absent from plans of earlier releases. */
  readonly skipped?: Skipped;
  /** Files that were suspended by earlier runs, and are not taken by this one. */
  readonly suspended?: readonly NamedFile[];
  /** Tables of models that the pipeline no longer has; left out: none. */
  readonly removed?: readonly RemovedTable[];
  /** Texts of models that are compared with what the models make, in a level behind all others; left out: none are. */
  readonly shadows?: readonly Shadow[];
};

export type BaseTable = { readonly metadata_location: string; readonly snapshot_id: string | null };
export type PlannedSource = { readonly files_key: string; readonly files: number; readonly bytes: number };

/** How one model is built in this run. */
export type ModelPlan = {
  readonly model: string;
  /** The model's columns with those that drift added. */
  readonly columns: readonly Column[];
  readonly shape: TableShape;
  /** The log of a keyed model. */
  readonly log: TableShape | null;
  /** The source's contract with the columns that drift added; null for gold. */
  readonly contract: SourceSpec | null;
  readonly units: readonly string[];
  /** What their workers parse; left out for gold, and in plans of earlier releases. */
  readonly bytes?: number;
  /** Of a table that is made anew: the batch of each unit. */
  readonly batches?: readonly number[];
  /** Of a table that is made anew: how its batches go together. */
  readonly mode?: ModelMode['kind'];
  /**
   * `final`: staging writes the table's data files. `exchange`: it writes files by hash bucket for a merge that removes
   * duplicates. `keyed`: it writes events by key bucket for a keyed merge.
   */
  readonly output: 'final' | 'exchange' | 'keyed';
  /** Hash buckets of an exchange, or key buckets of a keyed table. */
  readonly buckets: number;
  /** Of a keyed table whose keys lie in ranges: these, in which events are staged; left out: they lie in buckets. */
  readonly ranges?: KeyRanges;
  /** Buckets that a keyed table has, which it has outgrown: all of it is written anew in more; left out: it keeps them. */
  readonly grown_from?: number;
  /** A keyed table is recomputed from all of its log. */
  readonly rebuild: boolean;
  /** Present: nothing is written. The rows that are there are asked about expectations that are new or others. */
  readonly check?: true;
  /** Why a gold model is computed. */
  readonly reason: string | null;
  /** Files of the units that were not as planned when their columns were looked at, and are not read any more. */
  readonly left?: readonly LeftFile[];
  /** Files of the units that are rejected unread: what they are was seen when they were to be cut. */
  readonly refused?: readonly FileOutcome[];
  /** Names of files (`objectName`) that drift would need more columns for than a table may have: they are rejected. */
  readonly too_wide?: readonly string[];
  /** Where the list of the copies is that are read in place of the source's files, where several models read them. */
  readonly kept_key?: string;
  /** By the id of a table that a gold model reads: columns that drift brought to it, and that its SQL sees. */
  readonly reads_also?: Readonly<Record<string, readonly Column[]>>;
  /** Present: a gold model has more inputs than one worker takes, and how several compute it. */
  readonly ladder?: Ladder;
  /** The partitions of a gold table that are computed again, each as the text of its fields; null for all. */
  readonly touched: readonly PartitionText[] | null;
};

/** A partition as text, field by field; null where the field is null. */
export type PartitionText = readonly (string | null)[];

export type LevelPlan = Measured & {
  readonly level: number;
  readonly models: readonly ModelPlan[];
  /** Units that compare texts of models; left out of levels that make tables. */
  readonly shadows?: readonly string[];
};

export type StageUnit = {
  readonly unit: string;
  readonly model: string;
  /** Place of the unit among the model's units: earlier units win over later ones. */
  readonly ordinal: number;
  readonly files: readonly LandedFile[];
  /** For gold: the partitions this unit computes; null for all of the table. */
  readonly partitions: readonly PartitionText[] | null;
  /** For gold that an engine computes: those of all that other units compute. */
  readonly except?: readonly PartitionText[];
  /** For gold that several units compute: the files that this one reads of a table. */
  readonly share?: TableShare;
  /** Present: it makes nothing of the table, and compares another text of the model with it. */
  readonly shadow?: Shadow;
};

export type FileOutcome = LandedFile & {
  /** Suspended: not read, because workers died of it; in no account, and taken again on demand only. */
  readonly status: 'ingested' | 'rejected' | 'suspended';
  readonly records: number;
  readonly code: string | null;
  readonly reason: string | null;
};

/** A landed file of which nothing is in some tables, since the latest run that took it for them rejected or suspended it. */
export type SetAsideFile = {
  readonly source: string;
  /** Ids of the models whose tables lack it. */
  readonly models: readonly string[];
  readonly file: LandedFile;
  readonly status: 'rejected' | 'suspended';
  readonly code: string;
  readonly reason: string;
  /** The run that set it aside, and when that was planned. */
  readonly run_id: string;
  readonly at: string;
};

/** A file that needs a person, by its key. */
export type NamedFile = { readonly source: string; readonly file: string; readonly reason: string };

/** What a run answers. */
export type RunResult = {
  readonly run_id: string;
  readonly pipeline: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'NOTHING_TO_DO' | 'DRY_RUN';
  /** By source. */
  readonly accounting: Readonly<Record<string, SourceCounts>>;
  readonly rejected_files: readonly { readonly source: string; readonly file: string; readonly reason: string }[];
  /** Planned files that changed before they were read: the next run takes them. */
  readonly left_files: readonly { readonly source: string; readonly file: string; readonly reason: string }[];
  /** Names in bronze that are no files of a source, or that cannot be read. */
  readonly skipped: Skipped;
  /** Files that are left out until they are retried, because workers die of them; by this run or an earlier one. */
  readonly suspended_files: readonly NamedFile[];
  /** Tables of models that the pipeline no longer has; absent from results of earlier releases. */
  readonly removed_tables?: readonly RemovedTable[];
  readonly tables: Readonly<Record<string, TableOutcome>>;
  /** What became of the exports of the tables that it changed; left out of a pipeline without any. */
  readonly exports?: readonly ExportOutcome[];
  /** Of a run of a branch: which, and for which period. */
  readonly branch?: PlannedPeriod;
  /** What became of what the pipeline serves; left out of one that serves nothing. */
  readonly serve?: ServeOutcome;
  /** Of a run that was about some models only: their ids. */
  readonly selected?: readonly string[];
  /** Full names of the tables that were made anew from all files of their sources. */
  readonly anew?: readonly string[];
  /** By full name, where only partitions of a time were: these, as paths. */
  readonly partitions?: Readonly<Record<string, readonly string[]>>;
  readonly warnings: readonly string[];
  /** Of a run that had to be approved; left out of others. */
  readonly gate?: Gated;
  /** Of a run that compared texts of models; left out of others. */
  readonly parities?: readonly Parity[];
  readonly previews: Readonly<Record<string, readonly unknown[]>>;
  readonly duration_ms: number;
  readonly steps: readonly StepTiming[];
  /** What it has cost on AWS, or would have; null for a run that failed, absent from results of earlier releases. */
  readonly cost?: RunCost | null;
  readonly error: { readonly name: string; readonly message: string } | null;
};
