import { z } from 'zod';
import { MAINTENANCE_OPERATIONS } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { messageOfCause } from '../../core/execution-failure.ts';
import type { MaintenanceState, RewriteInput } from '../../core/maintenance.ts';
import type { OpenInput, RunState, UnitInput } from '../../core/run.ts';
import type { AwaitInput } from '../../steps/gate/await-decision.ts';

/** Inputs of the Task states. Fields that the state machine puts beside them are left out. */
export const runRef = z.object({
  pipeline: z.string(),
  run_id: z.string(),
  dry_run: z.boolean(),
  kind: z.literal('maintenance').optional(),
  epoch: z.number().int().optional(),
});

const compact = z.object({
  table: z.string().optional(),
  where: z.string().optional(),
  target_mb: z.number().positive().optional(),
  min_files: z.number().int().positive().optional(),
  sort: z.array(z.string()).min(1).optional(),
  zorder: z.array(z.string()).min(1).optional(),
  all: z.boolean().optional(),
});

const vacuum = z.object({
  older_than_ms: z.number().nonnegative().optional(),
  force_retention: z.boolean().optional(),
});

const maintenance = z.object({
  operations: z.array(z.enum(MAINTENANCE_OPERATIONS)).min(1),
  table: z.string().optional(),
  compact: compact.omit({ table: true }).optional(),
  expire: vacuum.extend({ keep: z.number().int().positive().optional() }).optional(),
  vacuum: vacuum.optional(),
});

/** A value is its text: JSON's own numbers and booleans are taken as they are written. */
const varValue = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => (value === null ? null : String(value)));

export const openInput = z.object({
  pipeline: z.string(),
  run_id: z.string(),
  dry_run: z.boolean().default(false),
  wait: z.literal(true).optional(),
  started_by: z.enum(['events', 'schedule', 'comparison']).optional(),
  kind: z.literal('maintenance').optional(),
  compact: compact.optional(),
  maintenance: maintenance.optional(),
  rebuild: z.string().optional(),
  reprocess: z
    .object({
      source: z.string(),
      files: z.array(z.string()).optional(),
      from: z.string().optional(),
      to: z.string().optional(),
    })
    .optional(),
  backfill: z
    .object({ allow_missing: z.boolean().optional(), from: z.string().optional(), to: z.string().optional() })
    .optional(),
  forward_only: z.boolean().optional(),
  select: z.array(z.string()).optional(),
  exclude: z.array(z.string()).optional(),
  shadow: z.boolean().optional(),
  vars: z.record(z.string(), varValue).optional(),
  run_date: z.string().optional(),
  branch: z.string().optional(),
  period: z.string().optional(),
  fired_at: z.iso.datetime({ offset: true }).optional(),
  retry: z
    .object({ status: z.enum(['rejected', 'suspended']).optional(), files: z.array(z.string()).optional() })
    .optional(),
});

const units = z.object({ units_key: z.string(), count: z.number() });

const spent = z.object({ get: z.number(), put: z.number(), bytes_in: z.number(), bytes_out: z.number() });
const measured = z.object({ ms: z.number(), spent: spent.optional(), within: z.literal('Level').optional() });

/** What a run has found to be due. */
export const due = z.object({
  request: maintenance,
  why: z.array(z.object({ operation: z.enum(MAINTENANCE_OPERATIONS), table: z.string().nullable(), why: z.string() })),
});

/** A Catch writes both fields; a state that timed out may have no cause. */
export const caught = z.object({ Error: z.string(), Cause: z.string().default('').transform(messageOfCause) });

const served = z.object({
  to: z.string(),
  from: z.string(),
  how: z.enum(['unchanged', 'changes', 'whole', 'before']),
  rows: z.number(),
  snapshot_id: z.string().nullable(),
});

const runState = z.object({
  status: z.enum(['planned', 'nothing', 'done']),
  request: openInput,
  run: runRef,
  level: z.number().int(),
  levels: z.number().int(),
  left: z.enum(['stage', 'plan_merge', 'merge', 'audit', 'nothing']).optional(),
  stage: units.extend({ alone: z.literal(true).optional() }).optional(),
  merge: units.extend(measured.partial().shape).optional(),
  serves: z.literal(true).optional(),
  commit: measured.optional(),
  serving: measured.optional(),
  served: z.array(served).optional(),
  serve_error: caught.optional(),
  maintenance: due.optional(),
});

const awaiting = z.object({
  run_id: z.string(),
  since: z.string(),
  expires_at: z.string(),
  digest: z.string(),
  because: z.array(z.string()),
  seconds: z.number(),
});

const awaited = z.object({ state: runState.extend({ awaiting }), token: z.string() });

/** The input of AwaitDecision. Throws InvalidInput naming each field that is wrong. */
export const parseAwaited = (event: unknown): AwaitInput =>
  parseEvent('AwaitDecision', awaited, event) as unknown as AwaitInput;

const unitInput = z.object({ run: runRef, unit: z.object({ level: z.number().int(), unit: z.string() }) });

/** Before the state machine handed on which execution it is, its input was all. */
const openEvent = z.object({ state: z.unknown(), execution: z.object({ Id: z.string().optional() }) });

/** The input of an execution, with the execution. Throws InvalidInput naming each field that is wrong. */
export function parseOpenInput(event: unknown): OpenInput {
  if (typeof event !== 'object' || event === null || !('state' in event)) {
    return parseEvent('Open', openInput, event) as OpenInput;
  }
  const { state, execution } = parseEvent('Open', openEvent, event);
  return {
    ...parseEvent('Open', openInput, state),
    ...(execution.Id === undefined ? {} : { execution: execution.Id }),
  } as OpenInput;
}
export const parseRunState = (event: unknown): RunState => parseEvent('a run', runState, event) as RunState;
export const parseUnitInput = (event: unknown): UnitInput => parseEvent('a unit', unitInput, event) as UnitInput;

/** What is left of the operations that forget and remove. */
export const sweep = z.object({ left: z.array(z.enum(['expire', 'vacuum'])) });

const maintenanceState = z.object({
  status: z.enum(['planned', 'nothing', 'done']),
  request: openInput,
  run: runRef,
  round: z.number().int(),
  rewrite: units.optional(),
  commit: measured.optional(),
  sweep: sweep.optional(),
  swept: z.object({ expire: z.looseObject({}).optional(), vacuum: z.looseObject({}).optional() }).optional(),
});

const rewriteInput = z.object({ run: runRef, unit: z.object({ round: z.number().int(), unit: z.string() }) });

export const parseMaintenanceState = (event: unknown): MaintenanceState =>
  parseEvent('maintenance', maintenanceState, event) as unknown as MaintenanceState;
export const parseRewriteInput = (event: unknown): RewriteInput =>
  parseEvent('a unit', rewriteInput, event) as RewriteInput;

/** An event by its schema. Throws InvalidInput naming each field that is wrong, and whose input it should have been. */
export function parseEvent<T>(what: string, schema: z.ZodType<T>, event: unknown): T {
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
