/**
 * Every error Strata raises on purpose. A class exists only where a caller acts differently on it;
 * `name` is what a state machine's ErrorEquals matches, `retryable` is what decides whether a Retry lists it.
 */
export abstract class StrataError extends Error {
  abstract readonly retryable: boolean;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** One thing wrong in what a user wrote: where it is, what stands there, what may stand there. */
export type Problem = {
  readonly file: string;
  readonly place: string;
  readonly got: string;
  readonly expected: string;
};

/** Wrong use of a command or an invalid pipeline: nothing was started. All problems are reported at once. */
export class InvalidInput extends StrataError {
  readonly retryable = false;
  readonly problems: readonly Problem[];
  constructor(message: string, problems: readonly Problem[] = [], options?: { cause?: unknown }) {
    super([message, ...problems.map(renderProblem)].join('\n'), options);
    this.problems = problems;
  }
}

/** An audit (expectation, accounting, row-wise map) refused what a run was about to publish. Nothing is published. */
export class AuditFailed extends StrataError {
  readonly retryable = false;
}

/** Another live run holds the pipeline's lock. Nothing was done. */
export class LockHeld extends StrataError {
  readonly retryable = false;
}

/** The object does not exist in the store. */
export class ObjectNotFound extends StrataError {
  readonly retryable = false;
}

/** The table changed since the change was planned, so nothing happened: reload and apply the change again. */
export class CommitConflict extends StrataError {
  readonly retryable = true;
}

/** The commit may or may not have happened: reload, look for the run_id in the snapshots, then decide. */
export class CommitStateUnknown extends StrataError {
  readonly retryable = true;
}

/** A passing fault of the store, the catalog or the network. */
export class Unavailable extends StrataError {
  readonly retryable = true;
}

/** Table metadata that is damaged, or uses an Iceberg feature Strata does not read. */
export class UnreadableTable extends StrataError {
  readonly retryable = false;
}

/** DuckDB refused or failed a statement; the message carries the statement's name. */
export class EngineError extends StrataError {
  readonly retryable = false;
}

/** How an execution of the state machine ends once its failure is recorded; the message has the error that ended the run. */
export class RunFailed extends StrataError {
  readonly retryable = false;
}

export function renderProblem(problem: Problem): string {
  return `  ${problem.file}: ${problem.place}: got ${problem.got}; expected ${problem.expected}`;
}
