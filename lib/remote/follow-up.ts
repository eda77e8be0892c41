import type { MaintenanceOperation } from '../core/asked.ts';
import type { Due } from '../core/maintenance-due.ts';

/** The maintenance that followed a run. */
export type FollowUp = {
  /** The first of the reasons. */
  readonly why: readonly Due[];
  /** `files`: joined by a compaction, removed by the others. */
  readonly done: readonly { readonly operation: MaintenanceOperation; readonly files: number }[];
  /** What was left as it is, and why. */
  readonly failed: readonly { readonly operation: MaintenanceOperation; readonly error: string }[];
};
