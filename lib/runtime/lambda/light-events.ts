import { z } from 'zod';
import { MAINTENANCE } from '../../core/deployment-names.ts';
import { errorOfExecution } from '../../core/execution-failure.ts';
import type { AfterError } from '../../core/failed-run.ts';
import type { AfterRun } from '../../steps/start/maintain-after.ts';
import { caught, due, openInput, parseEvent, runRef, sweep } from './events.ts';

const failure = z.object({
  run_id: z.string().optional(),
  redrives: z.number(),
  undone: z.boolean().optional(),
  go_on: z.literal(true).optional(),
  lost: z.string().optional(),
  swept: z.literal(true).optional(),
});

const execution = z.object({
  Id: z.string().optional(),
  Name: z.string().optional(),
  RedriveCount: z.number().optional(),
});

const afterError = z.object({
  state: openInput.partial().extend({
    run: runRef.optional(),
    request: openInput.optional(),
    status: z.string().optional(),
    sweep: sweep.optional(),
    unserved: z.literal(true).optional(),
    error: caught,
    failure: failure.optional(),
  }),
  execution,
});

/** The input of Fail and RunFailed. Throws InvalidInput naming each field that is wrong. */
export const parseAfterError = (event: unknown): AfterError =>
  parseEvent('a failed run', afterError, event) as AfterError;

const afterRun = z.object({ run: runRef, maintenance: due });

/** The input of MaintainAfter. Throws InvalidInput naming each field that is wrong. */
export const parseAfterRun = (event: unknown): AfterRun =>
  parseEvent('MaintainAfter', afterRun, event) as unknown as AfterRun;

/** What Notify tells of; any of it may be what made the run fail, so what is wrong is left out. */
const alerted = z.object({
  state: z.object({
    pipeline: z.string().optional().catch(undefined),
    run_id: z.string().optional().catch(undefined),
    kind: z.literal('maintenance').optional().catch(undefined),
    run: runRef.optional().catch(undefined),
    request: openInput.optional().catch(undefined),
    status: z.string().optional().catch(undefined),
    sweep: sweep.optional().catch(undefined),
    unserved: z.literal(true).optional().catch(undefined),
    error: caught,
    failure: failure.optional().catch(undefined),
  }),
  execution,
});

/**
 * EventBridge's report of an execution that ended, maybe without its Fail state.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
const executionEnded = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({
    executionArn: z.string(),
    name: z.string(),
    status: z.enum(['TIMED_OUT', 'ABORTED', 'FAILED']),
    stateMachineArn: z.string().optional(),
    /** Left out where it is large. */
    input: z.string().nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
    redriveCount: z.number().nullish(),
  }),
});

/**
 * What Notify is given: the state of a failed run, or the report of an execution that failed, timed out or was stopped. An
 * execution whose input says nothing of use is one of `pipeline`, and its run has its name.
 */
export function parseFailure(pipeline: string, event: unknown): AfterError {
  const reported = typeof event === 'object' && event !== null && 'detail-type' in event;
  const { state, execution: context } = reported ? ofExecution(event) : parseEvent('Notify', alerted, event);
  const named = { pipeline: state.pipeline ?? pipeline, run_id: state.run_id ?? context.Name };
  return { state: { ...state, ...named }, execution: context, ...(reported ? { ended: true } : {}) } as AfterError;
}

/**
 * Whether that is the report of an execution that timed out or was stopped, or of maintenance that failed: for runs that fail Step
 * Functions has a metric of its own.
 */
export function endedOtherwise(event: unknown): boolean {
  const report = executionEnded.safeParse(event);
  if (!report.success) return false;
  const { status, stateMachineArn } = report.data.detail;
  return status !== 'FAILED' || stateMachineArn?.endsWith(MAINTENANCE) === true;
}

function ofExecution(event: unknown): z.infer<typeof alerted> {
  const { detail } = parseEvent('Notify', executionEnded, event);
  const { name, message } = errorOfExecution({ ...detail, arn: detail.executionArn });
  const request = openInput.optional().catch(undefined).parse(jsonOf(detail.input));
  return {
    state: { ...request, request, error: { Error: name, Cause: message } },
    execution: { Id: detail.executionArn, Name: detail.name, RedriveCount: detail.redriveCount ?? 0 },
  };
}

function jsonOf(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
