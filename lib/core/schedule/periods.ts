/** The period of a branch that a run is for, and which attempt at it the run is, from 1 on. */
export type PlannedPeriod = { readonly name: string; readonly period: string; readonly attempt: number };

/** Why a run of a branch has nothing to do. */
export type BranchDone = {
  readonly name: string;
  /** The period that is done, or that was missed; null: none has begun yet. */
  readonly period: string | null;
  /** `done`: by the run, then. `missed`: it is not caught up. `none`: none has begun. */
  readonly why: 'done' | 'missed' | 'none';
  readonly run_id?: string;
  readonly finished_at?: string;
};
