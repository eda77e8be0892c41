import type { Ended } from '../cli/child.ts';

/** A deployed stage with the pipeline `shop`: in an account of AWS, or behind API servers of this machine. */
export type Account = {
  /** What stands behind it cannot do, and why: the parts of the smoke test that need it are left out, and say so. */
  readonly lacks: Readonly<Partial<Record<'athena' | 'redrive', string>>>;
  /** A command about the deployed lake; `--aws` and the stage are added. */
  strata(...args: readonly string[]): Promise<Ended>;
  /** Has all calls of the function of a state turned away for a while, as an account does that has no concurrency left. */
  turnAway(state: 'Commit'): Promise<void>;
  /** Runs a statement on Athena that changes a table. Throws an Error with Athena's words. */
  athena(statement: string): Promise<void>;
  removeUpload(source: string, file: string): Promise<void>;
  /** Redrives the execution of a run that failed, and answers how it ends. */
  redrive(runId: string): Promise<string>;
};
