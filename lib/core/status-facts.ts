import type { Slo } from './compute.ts';
import type { Due } from './maintenance-due.ts';
import type { Awaiting } from './promote.ts';
import type { RunFact } from './run-fact.ts';

/** What is known of how a pipeline does, before anything is made of it. */
export type StatusFacts = {
  readonly pipeline: string;
  readonly owner: string | null;
  readonly tier: number | null;
  readonly timezone: string;
  readonly slo: Slo;
  /** Its runs that have ended, in any order; without maintenance. */
  readonly runs: readonly RunFact[];
  readonly breaker: 'open' | 'closed';
  /** The run that waits to be decided about; left out: none does. */
  readonly awaiting?: Awaiting;
  /** Rows that are rejected, by error code; a row counts under each of its codes. */
  readonly quarantine: readonly QuarantinedCode[];
  readonly behind: readonly Behind[];
  /** Present: nobody has asked what a run would do now, so that nothing is known of these. */
  readonly unseen?: true;
  /** A run that has yet to be finished by the next. */
  readonly unfinished: string | null;
  readonly suspended_files: number;
  /** Files that were rejected and in whose place none has come; left out: there are none. */
  readonly rejected_files?: number;
  readonly maintenance: readonly Due[];
};

export type QuarantinedCode = {
  readonly code: string;
  readonly quarantined: number;
  readonly condemned: number;
  readonly last_day: number;
};

/** A table that a run would write now; `table` null: nothing is known of any, for the reason. */
export type Behind = { readonly table: string | null; readonly why: string };
