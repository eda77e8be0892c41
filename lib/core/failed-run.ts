import type { SweepOperation } from './maintenance.ts';
import type { HeldRun, OpenInput } from './run.ts';

/** Of Step Functions' context object, what we look at. */
export type ExecutionContext = {
  readonly Id?: string;
  readonly Name?: string;
  /** Absent until the execution is redriven for the first time. */
  readonly RedriveCount?: number;
};

/** What Fail answers: the run that it dealt with, and how often the execution had been redriven then. */
export type FailureRecord = {
  readonly run_id?: string;
  readonly redrives: number;
  /** False: it had begun to publish, and stays open for the next run to finish. */
  readonly undone?: boolean;
  readonly go_on?: true;
  /** Present: another run has taken the lock, and nothing was done; says so. */
  readonly lost?: string;
  /** Present: an operation of maintenance that forgets or removes, of which what it did stays done. */
  readonly swept?: true;
};

/** A run's state with the error that a Catch put beside it; the execution's input instead when Open itself failed. */
export type FailedState = Partial<OpenInput> & {
  readonly run?: HeldRun;
  readonly request?: OpenInput;
  /** Of maintenance: `planned` while a compaction is under way. */
  readonly status?: string;
  readonly sweep?: { readonly left: readonly SweepOperation[] };
  readonly error: { readonly Error: string; readonly Cause: string };
  /** Present: the run has ended well, but for what is served outside the lake. */
  readonly unserved?: true;
  /** Absent when Fail itself failed. */
  readonly failure?: FailureRecord;
};

/**
 * The input of the states behind an error: Fail, Notify and RunFailed. `ended`: the execution has ended already, by whatever
 * way; it may have told of its failure before.
 */
export type AfterError = {
  readonly state: FailedState;
  readonly execution: ExecutionContext;
  readonly ended?: true;
};
