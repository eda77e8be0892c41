import type { LandedFile, RunPlan } from '../../core/run.ts';

/** What a run takes on: files by silver model, keyed models to rebuild, bronze files whose events are withdrawn first. */
export type Work = {
  readonly files: ReadonlyMap<string, readonly LandedFile[]>;
  readonly rebuild: readonly string[];
  readonly withdraw: readonly string[];
  /** Models from whose tables they are withdrawn; left out: all. */
  readonly withdraw_from?: readonly string[];
  /** Silver models to make anew. */
  readonly anew: readonly string[];
  /** Present: of these only partitions of a time. */
  readonly window?: RunPlan['window'];
};

export const NOTHING: Work = { files: new Map(), rebuild: [], withdraw: [], anew: [] };
