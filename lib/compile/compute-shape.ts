import { z } from 'zod';
import { type Compute, DEFAULT_COMPUTE, LAMBDA_LIMITS, leastReserved, MAP_CHILDREN } from '../core/compute.ts';
import { parseSpan } from '../core/durations.ts';
import { STEP_NAMES, type StepCompute, type StepName } from '../core/states.ts';
import { oneOf } from '../core/suggest.ts';
import { type Notes, placeIn } from './notes.ts';
import { type Field, isRecord, readFields } from './shape.ts';

const { memoryMb, timeoutSeconds, tmpMb } = LAMBDA_LIMITS;

const SIZES = {
  memory: within(memoryMb, 'MB of memory'),
  timeout: {
    schema: z.string().transform(secondsOf),
    expected: `a span of at most ${timeoutSeconds.max / 60} minutes, such as '90s' or '15m'`,
  },
  tmp: within(tmpMb, 'MB of /tmp'),
} as const satisfies Record<string, Field>;

const STEP = {
  ...SIZES,
  reservedConcurrency: {
    schema: z.number().int().positive(),
    expected: 'a whole number of executions at once, 1 or more',
  },
} as const satisfies Record<string, Field>;

const COMPUTE = {
  ...SIZES,
  maxConcurrency: within({ min: 1, max: MAP_CHILDREN }, 'units at once'),
  toleratedFailurePercentage: { schema: z.number().min(0).max(100), expected: 'a percentage from 0 to 100' },
  steps: { schema: z.record(z.string(), z.unknown()), expected: 'steps by name, such as { Stage: { memory: 6144 } }' },
} as const satisfies Record<string, Field>;

/** Reads what each step has on AWS; everything left out has a default. */
export function readCompute(value: unknown, notes: Notes): Compute {
  if (value === undefined) return DEFAULT_COMPUTE;
  const read = readFields(COMPUTE, value, 'compute', '{ memory, timeout, tmp, maxConcurrency, steps }', notes) ?? {};
  const own = isRecord(read.steps) ? read.steps : {};
  for (const name of Object.keys(own)) {
    if (STEP_NAMES.some((step) => step === name)) continue;
    notes.add(placeIn('compute.steps', name), 'an unknown step', oneOf(name, STEP_NAMES));
  }
  const each = Object.fromEntries(
    STEP_NAMES.filter((step) => step !== 'Level').map((step) => [
      step,
      readStep(step, own[step] ?? {}, sizesOf(read), notes),
    ]),
  ) as Record<Exclude<StepName, 'Level'>, StepCompute>;
  const { PlanStage, Stage, PlanMerge, Merge, Audit } = each;
  const within = largest([PlanStage, Stage, PlanMerge, Merge, Audit]);
  const steps = { ...each, Level: readStep('Level', own['Level'] ?? {}, within, notes) };
  return {
    steps,
    maxConcurrency: concurrencyOf(read.maxConcurrency, steps, notes),
    toleratedFailurePercentage: read.toleratedFailurePercentage ?? DEFAULT_COMPUTE.toleratedFailurePercentage,
  };
}

/** Units at once: by default no more than are set aside. */
function concurrencyOf(asked: number | undefined, steps: Compute['steps'], notes: Notes): number {
  const least = leastReserved(steps);
  const usual = Math.min(DEFAULT_COMPUTE.maxConcurrency, least?.reserved ?? Number.POSITIVE_INFINITY);
  if (asked !== undefined && least !== undefined && asked > least.reserved) {
    const reservation = placeIn('compute.steps', least.step);
    notes.add(
      'compute.maxConcurrency',
      `${asked}`,
      `${least.reserved} or less, or a higher ${reservation}.reservedConcurrency: Lambda refuses calls beyond what is reserved`,
    );
  }
  return asked ?? usual;
}

/** What any of the steps may need that one call does. */
function largest(steps: readonly StepCompute[]): Partial<StepCompute> {
  return {
    memoryMb: Math.max(...steps.map(({ memoryMb }) => memoryMb)),
    timeoutSeconds: Math.max(...steps.map(({ timeoutSeconds }) => timeoutSeconds)),
    tmpMb: Math.max(...steps.map(({ tmpMb }) => tmpMb)),
  };
}

type Sizes = { readonly memory?: number; readonly timeout?: number; readonly tmp?: number };

function sizesOf({ memory, timeout, tmp }: Sizes): Partial<StepCompute> {
  return {
    ...(memory === undefined ? {} : { memoryMb: memory }),
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
    ...(tmp === undefined ? {} : { tmpMb: tmp }),
  };
}

function readStep(step: StepName, value: unknown, common: Partial<StepCompute>, notes: Notes): StepCompute {
  const expected = '{ memory, timeout, tmp, reservedConcurrency }';
  const read = readFields(STEP, value, placeIn('compute.steps', step), expected, notes) ?? {};
  const { reservedConcurrency } = read;
  return {
    ...DEFAULT_COMPUTE.steps[step],
    ...common,
    ...sizesOf(read),
    ...(reservedConcurrency === undefined ? {} : { reservedConcurrency }),
  };
}

function within({ min, max }: { readonly min: number; readonly max: number }, what: string): Field<number> {
  return { schema: z.number().int().min(min).max(max), expected: `a whole number of ${what} from ${min} to ${max}` };
}

function secondsOf(text: string, context: z.RefinementCtx): number {
  const seconds = (parseSpan(text) ?? 0) / 1_000;
  if (seconds >= timeoutSeconds.min && seconds <= timeoutSeconds.max) return seconds;
  context.addIssue({ code: 'custom', message: 'timeout' });
  return z.NEVER;
}
