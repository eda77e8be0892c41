import { z } from 'zod';
import { InvalidInput } from '../../core/errors.ts';
import type { AfterError, OpenInput, RunState, UnitInput } from '../../core/run.ts';

/** Inputs of the Task states. Fields that the state machine puts beside them are left out. */
const runRef = z.object({ pipeline: z.string(), run_id: z.string(), dry_run: z.boolean() });

const openInput = z.object({
  pipeline: z.string(),
  run_id: z.string(),
  dry_run: z.boolean().default(false),
  wait: z.literal(true).optional(),
  rebuild: z.string().optional(),
  reprocess: z
    .object({
      source: z.string(),
      files: z.array(z.string()).optional(),
      from: z.string().optional(),
      to: z.string().optional(),
    })
    .optional(),
});

const units = z.object({ units_key: z.string(), count: z.number() });

const runState = z.object({
  status: z.enum(['planned', 'nothing', 'done']),
  request: openInput,
  run: runRef,
  level: z.number().int(),
  levels: z.number().int(),
  stage: units.optional(),
  merge: units.optional(),
});

const unitInput = z.object({ run: runRef, unit: z.object({ level: z.number().int(), unit: z.string() }) });

const afterError = z.object({
  state: openInput.partial().extend({
    run: runRef.optional(),
    request: openInput.optional(),
    error: z.object({ Error: z.string(), Cause: z.string() }),
    failure: z
      .object({
        run_id: z.string().optional(),
        redrives: z.number(),
        undone: z.boolean().optional(),
        go_on: z.literal(true).optional(),
      })
      .optional(),
  }),
  execution: z.object({ Id: z.string().optional(), Name: z.string().optional(), RedriveCount: z.number().optional() }),
});

/** EventBridge's report of an execution that ended without its Fail state. */
const executionEnded = z.object({
  detail: z.object({
    executionArn: z.string(),
    name: z.string(),
    status: z.enum(['TIMED_OUT', 'ABORTED', 'FAILED']),
    input: z.string().nullable(),
    cause: z.string().nullish(),
  }),
});

/**
 * What Notify is given: the state of a failed run, or the report of an execution that timed out or was stopped.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
export function parseFailure(event: unknown): AfterError {
  const ended = executionEnded.safeParse(event);
  if (!ended.success) return parseAfterError(event);
  const { executionArn, name, status, input, cause } = ended.data.detail;
  const request = parseOpenInput(JSON.parse(input ?? '{}'));
  const kind = status === 'TIMED_OUT' ? 'States.Timeout' : status === 'ABORTED' ? 'Aborted' : 'Failed';
  const error = { Error: kind, Cause: cause ?? `the execution ended ${status}` };
  return { state: { ...request, request, error }, execution: { Id: executionArn, Name: name } };
}

/** The input of an execution. Throws InvalidInput naming each field that is wrong. */
export const parseOpenInput = (event: unknown): OpenInput => parse('Open', openInput, event) as OpenInput;
export const parseRunState = (event: unknown): RunState => parse('a run', runState, event) as RunState;
export const parseUnitInput = (event: unknown): UnitInput => parse('a unit', unitInput, event);
export const parseAfterError = (event: unknown): AfterError => parse('a failed run', afterError, event) as AfterError;

function parse<T>(what: string, schema: z.ZodType<T>, event: unknown): T {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(
    `the event is not the input of ${what}`,
    parsed.error.issues.map(({ path, message }) => {
      const place = path.join('.') || 'event';
      return { file: 'event', place, got: JSON.stringify(valueAt(event, path)) ?? 'nothing', expected: message };
    }),
  );
}

function valueAt(event: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], event);
}
