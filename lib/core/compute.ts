import type { ReadyBy } from './ready-by.ts';
import { STATES, STEP_NAMES, type StepCompute, type StepName } from './states.ts';

export type Compute = {
  readonly steps: Readonly<Record<StepName, StepCompute>>;
  /** Units of one map that work at once. */
  readonly maxConcurrency: number;
  /** Percent of a map's units that may fail before the rest is not begun; a run in which a unit failed fails all the same. */
  readonly toleratedFailurePercentage: number;
};

/** What is promised of a pipeline; null or left out: nothing, so that no alarm is made. */
export type Slo = {
  /** Milliseconds within which a run succeeds again. */
  readonly freshnessMs: number | null;
  /** Percent of the rows read that may be rejected. */
  readonly quarantineRate: number | null;
  /** Milliseconds that 95 of 100 runs take at most. */
  readonly p95Ms?: number;
  /** Percent of the runs that succeed. */
  readonly successRate?: number;
  /** Milliseconds from the first failure to the next success, on average. */
  readonly mttrMs?: number;
  /** When the data of a day are complete. */
  readonly ready?: ReadyBy;
  /** Percent of the time, of the days and of the runs for which freshness, `ready` and the rate of rejected rows hold; left out: 99. */
  readonly objective?: number;
};

export const DEFAULT_OBJECTIVE = 99;

/** Whether more is promised than what one run, or that there is one, tells: by many runs it is judged when each has ended. */
export function isJudged({ p95Ms, successRate, mttrMs, ready }: Slo): boolean {
  return [p95Ms, successRate, mttrMs, ready].some((target) => target !== undefined);
}

/** Source: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LAMBDA_LIMITS = {
  memoryMb: { min: 512, max: 10_240 },
  timeoutSeconds: { min: 1, max: 900 },
  tmpMb: { min: 512, max: 10_240 },
} as const;

/** Source: docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const MAP_CHILDREN = 10_000;

export const DEFAULT_COMPUTE: Compute = {
  steps: Object.fromEntries(STEP_NAMES.map((name) => [name, STATES[name].compute])) as Record<StepName, StepCompute>,
  // As many as a new AWS account may call at once.
  maxConcurrency: 10,
  toleratedFailurePercentage: 0,
};

/** The steps that maps call, as many at once as `maxConcurrency` says. */
const MAPPED = ['Stage', 'Merge'] as const satisfies readonly StepName[];

/** The least that is set aside for a mapped step: calls beyond it are refused, whatever else is free. undefined: nothing is. */
export function leastReserved(
  steps: Partial<Compute['steps']>,
): { readonly step: StepName; readonly reserved: number } | undefined {
  const reserved = MAPPED.flatMap((step) => {
    const own = steps[step]?.reservedConcurrency ?? null;
    return own === null ? [] : [{ step, reserved: own }];
  });
  return reserved.sort((a, b) => a.reserved - b.reserved)[0];
}
