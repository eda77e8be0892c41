import { InvalidInput, LockHeld } from '../../core/errors.ts';
import type { StepDeps } from '../deps.ts';
import { recordRun } from './record-run.ts';
import type { RecordedPlan, RunKind } from './run-row.ts';

/** A command that changes tables beside the runs of a pipeline, as the books name it. */
export type RecordedCommand = {
  readonly pipeline: string;
  readonly run_id: string;
  readonly kind: RunKind;
  /** ISO instant. */
  readonly created_at: string;
};

export function planOfCommand({ pipeline, run_id, kind, created_at }: RecordedCommand): RecordedPlan {
  return { run: { pipeline, run_id, dry_run: false }, kind, created_at, planning_ms: 0, sources: {} };
}

/** Enters a command that has done what it was to do into the table of runs, once. `files`: those that came or went. */
export async function recordCommand(deps: StepDeps, command: RecordedCommand, files: number): Promise<void> {
  const done = { status: 'SUCCEEDED', files, rows_read: 0, rows_added: 0, error: null } as const;
  await recordRun(deps, planOfCommand(command), done);
}

/**
 * Acts, and enters the command as failed where that throws: but for what was refused, or had to wait, since nothing had begun. The
 * error that ended it is the one to tell of, whatever becomes of the entry.
 */
export async function recordingFailure<T>(deps: StepDeps, command: RecordedCommand, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof InvalidInput || cause instanceof LockHeld) throw cause;
    const error = { name: cause.name, message: cause.message };
    const failed = { status: 'FAILED', files: 0, rows_read: 0, rows_added: 0, error } as const;
    await recordRun(deps, planOfCommand(command), failed).catch((again: unknown) => {
      deps.log.warn('the table of runs could not be written', { cause: String(again) });
    });
    throw cause;
  }
}
