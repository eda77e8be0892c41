import { NONE_SKIPPED } from './objects.ts';
import type { RunResult } from './run.ts';

/** What there is to say of a run that did nothing. */
export const NOTHING_DONE = {
  accounting: {},
  rejected_files: [],
  left_files: [],
  skipped: NONE_SKIPPED,
  suspended_files: [],
  removed_tables: [],
  tables: {},
  warnings: [],
  previews: {},
  steps: [],
  cost: null,
} as const satisfies Partial<RunResult>;
