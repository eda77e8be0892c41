import type { MaintenanceDue } from '../../core/maintenance-due.ts';
import type { OpenInput, RunRef } from '../../core/run.ts';
import type { Executions, JsonValue, Log } from '../../ports.ts';

/** What a run answers that found maintenance to be due. */
export type AfterRun = { readonly run: RunRef; readonly maintenance: Pick<MaintenanceDue, 'request'> };

export type MaintainAfterDeps = {
  /** Of the state machine of the pipeline's maintenance. */
  readonly executions: Executions;
  readonly log: Log;
};

const SUFFIX = '-maintenance';
/** Of the name of an execution, which is the id of its run. */
const LONGEST = 80;

/**
 * Starts the maintenance that is due after a run, once however often it is asked, and does not wait for it: it has its own
 * execution, alarms and redrives. Throws Unavailable for passing faults.
 */
export async function runMaintainAfter({ run, maintenance }: AfterRun, deps: MaintainAfterDeps): Promise<JsonValue> {
  const { pipeline, run_id } = run;
  const name = `${run_id.slice(0, LONGEST - SUFFIX.length)}${SUFFIX}`;
  const input: OpenInput = {
    pipeline,
    run_id: name,
    dry_run: false,
    kind: 'maintenance',
    // Another one may be at work, and nobody watches.
    wait: true,
    maintenance: maintenance.request,
  };
  const outcome = await deps.executions.start(name, input as unknown as JsonValue);
  deps.log.info('maintenance', { execution: name, outcome, operations: maintenance.request.operations.join(', ') });
  return { execution: name, outcome };
}
