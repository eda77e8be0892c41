import type { Due, Operation } from '../core/maintenance-rules.ts';

/** The maintenance that followed a run. */
export type FollowUp = {
  /** The first of the reasons. */
  readonly why: readonly Due[];
  /** `files`: joined by a compaction, removed by the others. */
  readonly done: readonly { readonly operation: Operation; readonly files: number }[];
  /** What was left as it is, and why. */
  readonly failed: readonly { readonly operation: Operation; readonly error: string }[];
};
