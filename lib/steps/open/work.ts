import type { LandedFile } from '../../core/run.ts';

/** What a run takes on: files by source, keyed models to rebuild, bronze files whose events are withdrawn first. */
export type Work = {
  readonly files: ReadonlyMap<string, readonly LandedFile[]>;
  readonly rebuild: readonly string[];
  readonly withdraw: readonly string[];
  /** Silver models to make anew. */
  readonly anew: readonly string[];
};

export const NOTHING: Work = { files: new Map(), rebuild: [], withdraw: [], anew: [] };
