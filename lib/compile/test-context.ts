import type { PipelineSpec } from '../core/spec.ts';
import type { Session } from '../ports.ts';
import type { Notes } from './notes.ts';

/** What a file of tests is read against. */
export type TestContext = {
  readonly spec: PipelineSpec;
  /** For reading values as those of their columns. */
  readonly session: Session;
  readonly notes: Notes;
};
