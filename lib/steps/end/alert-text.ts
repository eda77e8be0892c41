import type { AfterError, FailedState } from '../../core/failed-run.ts';
import type { SweepOperation } from '../../core/maintenance.ts';

export type Alert = { readonly subject: string; readonly message: string };

/** SNS takes that many characters of printable ASCII as a subject. Source: docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const LONGEST_SUBJECT = 100;
const LONGEST_CAUSE = 4_000;

/** What the alert of a run says, in plain text: what failed, why, where to look, and what to do. */
export function renderAlert(
  { pipeline, runId, at }: { readonly pipeline: string; readonly runId: string; readonly at: Date },
  { state, execution }: AfterError,
): Alert {
  const { Error: error, Cause: cause } = state.error;
  const resumed = state.run !== undefined && state.run.run_id !== runId ? state.run.run_id : undefined;
  const what = whatFailed(state);
  const lines = [
    `${NAMES[what]} ${runId} of pipeline ${pipeline} failed.`,
    ...(resumed === undefined ? [] : [`It had to finish run ${resumed} first, and that failed.`]),
    '',
    `Time:      ${at.toISOString()}`,
    `Error:     ${error}`,
    `Cause:     ${shorten(cause) || 'none was given'}`,
    `Published: ${published(state)}`,
    '',
    'Where to look:',
    ...whereToLook(execution.Id).map((line) => `  ${line}`),
    '',
    'What to do:',
    ...whatToDo({ pipeline, what }, error, execution.Id).map((line) => `  ${line}`),
  ];
  return { subject: subjectOf(`Strata: ${pipeline} failed: ${error} (${runId})`), message: `${lines.join('\n')}\n` };
}

type What = 'run' | 'compact' | SweepOperation;
const NAMES: Readonly<Record<What, string>> = {
  run: 'Run',
  compact: 'Compaction',
  expire: 'Expiry',
  vacuum: 'Vacuum',
};

function whatFailed({ kind, run, request, status, sweep }: FailedState): What {
  if ((kind ?? run?.kind ?? request?.kind) !== 'maintenance') return 'run';
  const [operation] = sweep?.left ?? [];
  return operation === undefined || status === 'planned' ? 'compact' : operation;
}

function published({ run, failure, unserved }: FailedState): string {
  if (unserved === true) return 'all of it in the lake; what it serves is as it was, until the next run serves it';
  if (failure?.lost !== undefined) return 'what another run that took the lock finishes or undoes';
  if (failure?.swept === true) return 'what was forgotten and removed stays so; the lists of it are with the run';
  if (failure?.undone === true) return 'nothing; every table is as it was before the run';
  if (failure?.undone === false) return 'in part; the next run of the pipeline finishes it first';
  if (failure !== undefined && run === undefined) return 'nothing; the run had not begun';
  return 'not known, as the run could not be wound up; the next run of the pipeline finishes or undoes it first';
}

function whereToLook(arn: string | undefined): readonly string[] {
  if (arn === undefined) return ['the executions of the state machine'];
  const region = arn.split(':')[3] ?? '';
  return [arn, `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${arn}`];
}

type Asked = { readonly pipeline: string; readonly what: What };

function whatToDo({ pipeline, what }: Asked, error: string, arn: string | undefined): readonly string[] {
  const redrive =
    arn === undefined ? 'Redrive the execution' : `aws stepfunctions redrive-execution --execution-arn ${arn}`;
  return [
    adviceFor(error),
    `Then go on with the same execution, or start a new run: ${arn === undefined ? redrive : ''}`.trimEnd(),
    ...(arn === undefined ? [] : [`  ${redrive}`]),
    `  strata ${what} --aws ${pipeline}`,
    what !== 'run'
      ? 'No row has changed, and runs of the pipeline go on as before.'
      : 'Files that have landed are not lost: the next run takes them.',
  ];
}

/** By the names of the errors in lib/core/errors.ts and of Step Functions' own. */
function adviceFor(error: string): string {
  switch (error) {
    case 'AuditFailed':
      return 'The data, or the tables that it would have made, break what the pipeline promises: correct the files or the rule that the cause names.';
    case 'InvalidInput':
      return 'Put right what the cause names: a permission, a setting or the input of the execution.';
    case 'EngineError':
      return 'Look at the statement that the cause names; for a unit that did not fit, raise the setting that it names, and deploy.';
    case 'CommitConflict':
    case 'CommitStateUnknown':
    case 'Unavailable':
      return 'A fault of AWS or of the network outlasted all retries: wait until it has passed.';
    case 'UnreadableTable':
    case 'ObjectNotFound':
      return 'Something else has changed or removed files of the lake: restore them from the version that the bucket keeps.';
    case 'States.ExceedToleratedFailureThreshold':
    case 'States.ItemReaderFailed':
    case 'States.ResultWriterFailed':
      return 'Open the map run of the execution: the first child that failed has the error.';
    case 'States.Runtime':
    case 'States.DataLimitExceeded':
      return 'Open the execution: its last event says what the state machine could not do, such as an output that is too large.';
    case 'States.Aborted':
      return 'Somebody has stopped the execution. Its lock frees itself within 20 minutes.';
    default:
      return 'Look at the logs of the function that failed, and put right what they name.';
  }
}

function shorten(cause: string): string {
  return cause.length > LONGEST_CAUSE ? `${cause.slice(0, LONGEST_CAUSE)}... (the execution has the rest)` : cause;
}

function subjectOf(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, LONGEST_SUBJECT);
}
