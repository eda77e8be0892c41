import type { StateEvent } from '../asl/state-event.ts';
import type { Asked } from '../core/asked.ts';
import type { MaintenanceDue } from '../core/maintenance-due.ts';
import type { Skipped } from '../core/objects.ts';
import type { Awaiting } from '../core/promote.ts';
import type { NamedFile, RunResult } from '../core/run.ts';
import type { BranchDone } from '../core/schedule/periods.ts';
import type { RemovedTable } from '../core/tables.ts';
import type { FollowUp } from './follow-up.ts';

/** What is asked of a lake, here or deployed. */
export type RunRequest = Asked & {
  readonly pipeline: string;
  readonly runId?: string;
  readonly dryRun?: boolean;
  /** Milliseconds to wait for the pipeline's turn while another run holds it; Infinity: as long as that takes. */
  readonly waitMs?: number;
  readonly onWait?: (message: string) => void;
  /** Whether maintenance that is due follows the run, here; on AWS its state machine sees to it. Where it does not, it stays due. */
  readonly maintain?: boolean;
  /** Milliseconds between attempts, in place of the state machine's own intervals. */
  readonly retryIntervalMs?: number;
  readonly onEvent?: (event: StateEvent) => void;
  /** Once aborted the run stops where it is, for the next one to go on with, and its reason is thrown. */
  readonly interrupted?: AbortSignal;
};

/** A run that an execution did before the one that was asked for. */
export type EarlierRun = Pick<RunResult, 'run_id' | 'status' | 'branch' | 'error'>;

/** What came of it. */
export type RunAnswer =
  | {
      readonly kind: 'ended';
      readonly result: RunResult /** The same run_id had ended before. */;
      readonly again: boolean;
      /** Of a run of a branch: what came of the runs before it, which were for periods of before. */
      readonly before?: readonly EarlierRun[];
      /** What was asked for was wrong, and nothing had begun. */
      readonly refused?: true;
      /** The maintenance that its tables need, and what came of it where it was done. */
      readonly due?: MaintenanceDue;
      readonly maintenance?: FollowUp;
    }
  | {
      readonly kind: 'nothing';
      readonly pipeline: string;
      readonly runId: string;
      readonly before?: readonly EarlierRun[];
      /** Of a run of a branch: why. */
      readonly branch?: BranchDone;
      /** Branches of which the run, being of none, took nothing. */
      readonly branches?: readonly string[];
      readonly skipped: Skipped;
      readonly suspended: readonly NamedFile[];
      readonly removed: readonly RemovedTable[];
    }
  /** The run, or one before it, is prepared and has to be decided about; `own`: it is the run that was asked for. */
  | { readonly kind: 'awaiting'; readonly pipeline: string; readonly awaiting: Awaiting; readonly own: boolean }
  | { readonly kind: 'locked'; readonly message: string };
