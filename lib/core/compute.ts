/** The steps that work on data, each a Lambda function of its own on AWS; named as their states. */
export const STEP_NAMES = ['Open', 'PlanStage', 'Stage', 'PlanMerge', 'Merge', 'Audit', 'Commit', 'Finish'] as const;

export type StepName = (typeof STEP_NAMES)[number];

/** What a step's function has on AWS. */
export type StepCompute = {
  /** MB of memory; CPU comes with it, one vCPU for each 1,769 MB. */
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** MB of /tmp, which DuckDB spills to. */
  readonly tmpMb: number;
  /** Executions at once that are set aside for this function alone; null: it shares the account's. */
  readonly reservedConcurrency: number | null;
};

export type Compute = {
  readonly steps: Readonly<Record<StepName, StepCompute>>;
  /** Units of one map that work at once. */
  readonly maxConcurrency: number;
  /** Percent of a map's units that may fail before the rest is not begun; a run in which a unit failed fails all the same. */
  readonly toleratedFailurePercentage: number;
};

/** What is promised of a pipeline; null: nothing, so that no alarm is made. */
export type Slo = {
  /** Milliseconds within which a run succeeds again. */
  readonly freshnessMs: number | null;
  /** Percent of the rows read that may be rejected. */
  readonly quarantineRate: number | null;
};

/** Source: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LAMBDA_LIMITS = {
  memoryMb: { min: 512, max: 10_240 },
  timeoutSeconds: { min: 1, max: 900 },
  tmpMb: { min: 512, max: 10_240 },
} as const;

/** Source: docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const MAP_CHILDREN = 10_000;

const HEAVY: StepCompute = { memoryMb: 3_008, timeoutSeconds: 900, tmpMb: 4_096, reservedConcurrency: null };
const PLANNING: StepCompute = { memoryMb: 1_769, timeoutSeconds: 900, tmpMb: 2_048, reservedConcurrency: null };

/** 3,008 MB is the most that a new AWS account may give to a function. */
export const DEFAULT_COMPUTE: Compute = {
  steps: {
    Open: PLANNING,
    PlanStage: PLANNING,
    Stage: HEAVY,
    PlanMerge: PLANNING,
    Merge: HEAVY,
    Audit: PLANNING,
    Commit: PLANNING,
    Finish: PLANNING,
  },
  maxConcurrency: 100,
  toleratedFailurePercentage: 0,
};
