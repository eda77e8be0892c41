import { z } from 'zod';

/**
 * The part of the Amazon States Language (JSONPath) that runs the same on AWS and on one machine. Every object is strict:
 * a field that is not here is refused, never ignored.
 * Source: https://states-language.net/spec.html; for Map in distributed mode
 * https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
 */

/** `$`, `$.a.b` in the state's input. */
const path = z.string().regex(/^\$(\.[A-Za-z_]\w*)*$/, 'a path such as $.a.b');
const resultPath = z.union([path, z.null()]);
const text = z.string().min(1);

/** Constants, except that a key ending in `.$` holds a path into input or context, or an intrinsic function. */
const template = z.record(z.string(), z.json()).superRefine((value, context) => {
  for (const [place, found] of dynamicFields(value, [])) {
    const isDynamic = typeof found === 'string' && /^(\$\$?(\.[A-Za-z_]\w*)*|States\.[A-Za-z]+\(.*\))$/s.test(found);
    if (!isDynamic) {
      context.addIssue({ code: 'custom', path: place, message: 'a path such as $.a or $$.a, or States.Function(...)' });
    }
  }
});

function dynamicFields(value: unknown, place: PropertyKey[]): [PropertyKey[], unknown][] {
  if (Array.isArray(value)) return value.flatMap((element, at) => dynamicFields(element, [...place, at]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) =>
    key.endsWith('.$') ? [[[...place, key], field] as [PropertyKey[], unknown]] : dynamicFields(field, [...place, key]),
  );
}

const errorEquals = z
  .array(text)
  .min(1)
  .refine((names) => !names.includes('States.ALL') || names.length === 1, 'States.ALL alone in its list');

const retrier = z.strictObject({
  Comment: text.optional(),
  ErrorEquals: errorEquals,
  IntervalSeconds: z.int().min(1).optional(),
  MaxAttempts: z.int().min(0).optional(),
  BackoffRate: z.number().min(1).optional(),
  MaxDelaySeconds: z.int().min(1).optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});

const catcher = z.strictObject({
  Comment: text.optional(),
  ErrorEquals: errorEquals,
  Next: text,
  ResultPath: resultPath.optional(),
});

const isLastIfAll = (list: readonly { ErrorEquals: string[] }[]): boolean =>
  list.every(({ ErrorEquals }, at) => !ErrorEquals.includes('States.ALL') || at === list.length - 1);

const retry = z.array(retrier).min(1).refine(isLastIfAll, 'the entry for States.ALL last');
const catches = z.array(catcher).min(1).refine(isLastIfAll, 'the entry for States.ALL last');
const transition = { Next: text.optional(), End: z.literal(true).optional() };

const taskFields = {
  Type: z.literal('Task'),
  Comment: text.optional(),
  Resource: text,
  TimeoutSeconds: z.int().min(1).optional(),
  Parameters: template.optional(),
  ResultSelector: template.optional(),
  ResultPath: resultPath.optional(),
  Retry: retry.optional(),
  Catch: catches.optional(),
  ...transition,
};

/** Waits until somebody calls back with the token that the function was given; here an execution ends there. */
export function isCallback(resource: string): boolean {
  return resource.endsWith('.waitForTaskToken');
}

export const TASK_TOKEN = '$$.Task.Token';
const CALLBACK = /^arn:[^:]+:states:::lambda:invoke\.waitForTaskToken$/;
const CALLBACK_EXPECTED =
  'of a callback: arn:aws:states:::lambda:invoke.waitForTaskToken with FunctionName, Payload with one $$.Task.Token, TimeoutSecondsPath and ResultPath null';

/** A Task of the machine itself may also be a callback, of exactly this form. */
const mainTask = z.strictObject({ ...taskFields, TimeoutSecondsPath: path.optional() }).refine(
  ({ Resource, Parameters, TimeoutSeconds, TimeoutSecondsPath, ResultPath }) => {
    if (!isCallback(Resource)) return TimeoutSecondsPath === undefined;
    const { FunctionName, Payload, ...others } = Parameters ?? {};
    const tokens = Object.values(Object(Payload)).filter((value) => value === TASK_TOKEN);
    const called = typeof FunctionName === 'string' && Object.keys(others).length === 0 && tokens.length === 1;
    const waits = TimeoutSecondsPath !== undefined && TimeoutSeconds === undefined && ResultPath === null;
    return CALLBACK.test(Resource) && called && waits;
  },
  { path: ['Resource'], message: CALLBACK_EXPECTED },
);

/** Inside a map nothing waits. */
const task = mainTask.refine(({ Resource }) => !isCallback(Resource), {
  path: ['Resource'],
  message: 'a function that answers: what waits for a token is no item of a map',
});

const pass = z.strictObject({
  Type: z.literal('Pass'),
  Comment: text.optional(),
  InputPath: path.optional(),
  Parameters: template.optional(),
  ResultPath: resultPath.optional(),
  ...transition,
});

/** Comparisons that the local runner decides as AWS does, missing variables included. */
const comparison = z
  .strictObject({
    Variable: path,
    Next: text,
    Comment: text.optional(),
    StringEquals: z.string().optional(),
    StringEqualsPath: path.optional(),
    NumericEquals: z.number().optional(),
    NumericEqualsPath: path.optional(),
    NumericLessThan: z.number().optional(),
    NumericLessThanPath: path.optional(),
    NumericGreaterThan: z.number().optional(),
    NumericGreaterThanPath: path.optional(),
    BooleanEquals: z.boolean().optional(),
    IsPresent: z.literal(true).optional(),
  })
  .refine(({ Variable: _, Next: __, Comment: ___, ...operators }) => Object.keys(operators).length === 1, {
    message: 'exactly one comparison',
  });

const choice = z.strictObject({
  Type: z.literal('Choice'),
  Comment: text.optional(),
  Choices: z.array(comparison).min(1),
  Default: text,
});

const wait = z.strictObject({
  Type: z.literal('Wait'),
  Comment: text.optional(),
  Seconds: z.int().min(1),
  ...transition,
});

const succeed = z.strictObject({ Type: z.literal('Succeed'), Comment: text.optional() });

const fail = z.strictObject({
  Type: z.literal('Fail'),
  Comment: text.optional(),
  Error: text.optional(),
  ErrorPath: path.optional(),
  Cause: text.optional(),
  CausePath: path.optional(),
});

const itemReader = z.strictObject({
  Resource: z.string().regex(/^arn:[^:]+:states:::s3:getObject$/, 'arn:aws:states:::s3:getObject'),
  ReaderConfig: z.strictObject({ InputType: z.literal('JSON') }),
  Parameters: z.strictObject({ Bucket: text, 'Key.$': path }),
});

const resultWriter = z.strictObject({
  Resource: z.string().regex(/^arn:[^:]+:states:::s3:putObject$/, 'arn:aws:states:::s3:putObject'),
  Parameters: template,
});

const itemState = z.discriminatedUnion('Type', [task, pass, choice, wait, succeed, fail]);

/**
 * Only distributed mode, reading its items from an object and discarding its results: neither ever grows the payload.
 * Inline maps and Parallel are left out because the local runner goes on with the other branches after one has failed.
 */
const map = z.strictObject({
  Type: z.literal('Map'),
  Comment: text.optional(),
  Label: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, 'at most 40 letters, digits, - or _')
    .optional(),
  ItemReader: itemReader,
  ItemSelector: template.optional(),
  ItemProcessor: z.strictObject({
    ProcessorConfig: z.strictObject({ Mode: z.literal('DISTRIBUTED'), ExecutionType: z.enum(['STANDARD', 'EXPRESS']) }),
    StartAt: text,
    States: z.record(z.string(), itemState),
  }),
  ResultWriter: resultWriter.optional(),
  ResultPath: z.null(),
  MaxConcurrency: z.int().min(0).optional(),
  ToleratedFailureCount: z.int().min(0).optional(),
  ToleratedFailurePercentage: z.number().min(0).max(100).optional(),
  Catch: catches.optional(),
  ...transition,
});

export const stateMachine = z.strictObject({
  Comment: text.optional(),
  QueryLanguage: z.literal('JSONPath').optional(),
  TimeoutSeconds: z.int().min(1).optional(),
  StartAt: text,
  States: z.record(z.string(), z.discriminatedUnion('Type', [mainTask, pass, choice, wait, succeed, fail, map])),
});

export type StateMachineDefinition = z.infer<typeof stateMachine>;
export type State = StateMachineDefinition['States'][string];
export type TaskState = z.infer<typeof mainTask>;
export type MapState = z.infer<typeof map>;
/** The states of one scope: the machine's own, or those of one map's items. */
export type Scope = { readonly StartAt: string; readonly States: Readonly<Record<string, State>> };
