import { askedOf } from '../../core/asked.ts';
import { RunFailed } from '../../core/errors.ts';
import type { AfterError } from '../../core/failed-run.ts';
import type { OpenInput } from '../../core/run.ts';
import { LONGEST_RUN_ID } from '../../lake/run/run-folder.ts';

/**
 * Ends an execution whose failure has been recorded, by throwing RunFailed with the error that ended the run. An
 * execution that is redriven comes back to the state that failed, which is this one: then the answer is what was asked
 * for, under a run_id of its own because the first one is used up, and the state machine opens it.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
 */
export async function runRunFailed({ state, execution }: AfterError): Promise<OpenInput> {
  const redrives = execution.RedriveCount ?? 0;
  const request = state.request ?? openInput(state);
  if (request === undefined || redrives <= (state.failure?.redrives ?? 0)) {
    throw new RunFailed(`${state.error.Error}: ${state.error.Cause}`);
  }
  const suffix = `-r${redrives}`;
  return { ...request, run_id: `${request.run_id.slice(0, LONGEST_RUN_ID - suffix.length)}${suffix}` };
}

/** The input of an execution whose Open failed is the state itself: all that was asked for, such as the period of a branch. */
function openInput(state: AfterError['state']): OpenInput | undefined {
  const { pipeline, run_id, dry_run, wait, started_by, maintain, kind } = state;
  if (pipeline === undefined || run_id === undefined) return undefined;
  return {
    pipeline,
    run_id,
    dry_run: dry_run ?? false,
    ...(wait === undefined ? {} : { wait }),
    ...(started_by === undefined ? {} : { started_by }),
    ...(maintain === undefined ? {} : { maintain }),
    ...(kind === undefined ? {} : { kind }),
    ...askedOf(state),
  };
}
