import { type Compute, DEFAULT_COMPUTE } from '../core/compute.ts';
import type { CostLine, EstimatedCost, RunCost } from '../core/cost.ts';
import { addRequests, addSpent, NOTHING_SPENT, type Requests, type Spent } from '../core/requests.ts';
import type { RunResult } from '../core/run.ts';
import { RUN_STEPS, type RunStepName, type StepCompute, type StepName } from '../core/states.ts';
import { vcpusOf } from '../core/worker-memory.ts';
import { requestsOfGate, timingsOfGate } from './gate-requests.ts';
import { PRICES, type Prices } from './prices.ts';
import { CALLS, estimateRequests, requestsAround, TABLE } from './run-requests.ts';
import { type LevelShape, PLANNED, shapeOf } from './run-shape.ts';
import { ASSUMED_RATES, type Rates, type RunWork, type UnitWork } from './run-work.ts';

/** By default prices as this release knows them, and assumed rates. */
export type CostOptions = {
  readonly prices?: Prices;
  readonly rates?: Rates;
  /** The run whose staging the rates were measured in. */
  readonly measuredIn?: string;
};

/** An estimate before the run, with the smallest Glue job that does the same work beside it. */
export type CostEstimate = EstimatedCost & {
  /** How long the run would take on AWS, units side by side. */
  readonly seconds: number;
  readonly glue: { readonly dpus: number; readonly seconds: number; readonly usd: number };
  /** Where the durations come from: `run` is an earlier run whose staging was measured, null where all are assumed. */
  readonly rates: Rates & { readonly run: string | null };
};

/**
 * What a run would cost. A call of a step takes its start, its requests one after the other, and its bytes by the rates
 * and by the vCPUs of its function. On Glue the same bytes are worked by the same rates, without starts and requests.
 */
export function estimateRun(work: RunWork, compute: Compute, options: CostOptions = {}): CostEstimate {
  const { prices = PRICES, rates = ASSUMED_RATES, measuredIn } = options;
  const shape = shapeOf(work.levels.map(shapeOfLevel), { serves: work.served !== undefined, gate: work.gate });
  const gate = requestsOfGate(work.gate, work.tables, work.levels.length);
  const { calls, within } = shape;
  const vcpuSeconds = {
    Stage: sum(unitsApart(work, 'Stage').map((unit) => vcpuSecondsOf(unit, rates))),
    Merge: sum(unitsApart(work, 'Merge').map((unit) => vcpuSecondsOf(unit, rates))),
    all: sum(work.levels.flatMap(({ stage, merge }) => [...stage, ...merge].map((unit) => vcpuSecondsOf(unit, rates)))),
  };
  const working: Partial<Record<RunStepName, number>> = {
    Stage: vcpuSeconds.Stage,
    Merge: vcpuSeconds.Merge,
    Serve: work.served === undefined ? 0 : vcpuSecondsOf(work.served, rates),
    Level: vcpuSeconds.all - vcpuSeconds.Stage - vcpuSeconds.Merge,
  };
  const ofTables = work.tables * requestsOf(TABLE);
  const parts = sum(RUN_STEPS.map((step) => within[step] * requestsOf(CALLS[step])));
  const ofLevel = parts + requestsOf(gate.Level) + (calls.Audit > 0 ? 0 : ofTables);
  const asked: Partial<Record<RunStepName, number>> = {
    Level: ofLevel,
    Gate: requestsOf(gate.Gate),
    ...(calls.Audit > 0 ? { Audit: ofTables } : {}),
  };
  const uses = RUN_STEPS.map((step) => {
    const requests = calls[step] * requestsOf(CALLS[step]) + (asked[step] ?? 0);
    const waiting = (calls[step] * rates.startMs + requests * rates.requestMs) / 1_000;
    return {
      step,
      calls: calls[step],
      seconds: waiting + (working[step] ?? 0) / vcpusOf(sizesOf(compute, step).memoryMb),
    };
  });
  const requests = addRequests(estimateRequests(shape, work), gate.Gate, gate.Level);
  const cost = priceRun({ uses, transitions: shape.transitions, requests }, compute, prices);
  return {
    ...cost,
    seconds: round(secondsOf(work, compute, uses, rates), 1),
    glue: glueCost(vcpuSeconds.all, prices),
    rates: { ...rates, run: measuredIn ?? null },
  };
}

function shapeOfLevel({ stage, merge, within = PLANNED }: RunWork['levels'][number]): LevelShape {
  return { within, stage: countUnits(stage), merge: countUnits(merge) };
}

/** Units that functions of their own work on. */
function unitsApart({ levels }: Pick<RunWork, 'levels'>, step: 'Stage' | 'Merge'): readonly UnitWork[] {
  const apart = levels.filter(({ within = PLANNED }) => !within.includes(step));
  return apart.flatMap(({ stage, merge }) => (step === 'Stage' ? stage : merge));
}

/** A pipeline that an earlier release compiled names no steps that have come since. */
function sizesOf({ steps }: Compute, step: StepName): StepCompute {
  const own: Partial<Compute['steps']> = steps;
  return own[step] ?? DEFAULT_COMPUTE.steps[step];
}

/** The light steps follow each other; units of a map work side by side, so many at once. */
function secondsOf(work: RunWork, compute: Compute, uses: readonly StepUse<RunStepName>[], rates: Rates): number {
  const perCall = (step: 'Stage' | 'Merge'): number =>
    (rates.startMs + rates.requestMs * requestsOf(CALLS[step])) / 1_000;
  const ofMap = (step: 'Stage' | 'Merge', units: readonly UnitWork[]): number => {
    const count = countUnits(units);
    if (count === 0) return 0;
    const atOnce = Math.min(count, compute.maxConcurrency) * vcpusOf(compute.steps[step].memoryMb);
    const working = sum(units.map((unit) => vcpuSecondsOf(unit, rates))) / atOnce;
    return Math.ceil(count / compute.maxConcurrency) * perCall(step) + working;
  };
  const light = uses.filter(({ step }) => step !== 'Stage' && step !== 'Merge');
  const maps = work.levels.map(
    (level) =>
      ofMap('Stage', unitsApart({ levels: [level] }, 'Stage')) +
      ofMap('Merge', unitsApart({ levels: [level] }, 'Merge')),
  );
  return sum(light.map(({ seconds }) => seconds)) + sum(maps);
}

/**
 * What a finished run has cost, by the times that its steps took and what they asked S3 for, with what AWS asks for around
 * them. Only the start of each call is assumed, and what it takes to be approved; in results of earlier releases also what they don't say. Attempts that
 * failed and were repeated, and renewals of the lock by calls of more than two minutes, are left out.
 */
export function costOfRun(
  given: Pick<RunResult, 'status' | 'steps' | 'tables' | 'serve' | 'gate'>,
  compute: Compute,
  prices: Prices = PRICES,
): RunCost {
  const rates = ASSUMED_RATES;
  const levels = levelsOf(given);
  const { gate, serve } = given;
  const around = timingsOfGate(gate, { tables: published(given), levels: levels.length }, rates);
  const result = { ...given, steps: [...given.steps, ...around] };
  const shape = shapeOf(levels, { serves: serve !== undefined, gate });
  const { calls, transitions } = shape;
  const uses = RUN_STEPS.map((step) => {
    const own = result.steps.filter((timing) => (timing.within ?? timing.step) === step);
    const unmeasured = own.length === 0 ? rates.requestMs * requestsOf(CALLS[step]) : 0;
    const ms = sum(own.map((timing) => timing.ms)) + calls[step] * (rates.startMs + unmeasured);
    return { step, calls: calls[step], seconds: ms / 1_000 };
  });
  const spent = spentIn(result);
  const requests =
    spent === undefined
      ? estimateRequests(shape, workOfResult(result, levels.length))
      : addRequests(spent, requestsAround(shape, result.status === 'DRY_RUN'));
  const cost = priceRun({ uses, transitions, requests, ...(spent === undefined ? {} : { spent }) }, compute, prices);
  return { ...cost, requests: spent === undefined ? 'assumed' : 'counted' };
}

/** How each level was done: the units of a list that Level and others share count as those of a map. */
function levelsOf({ steps }: Pick<RunResult, 'steps'>): readonly LevelShape[] {
  const levels = steps.flatMap(({ step, level }) => (step === 'Audit' ? [level] : []));
  return levels.map((level) => {
    const own = steps.filter((timing) => timing.level === level);
    const unitsOf = (step: 'Stage' | 'Merge'): number =>
      sum(own.filter((timing) => timing.step === step).map(({ units }) => units));
    const within = own.flatMap((timing) => (timing.within === undefined ? [] : [timing.step]));
    return { within, stage: unitsOf('Stage'), merge: unitsOf('Merge') };
  });
}

/** What all steps together asked for; undefined where one of them doesn't say. */
function spentIn({ steps }: Pick<RunResult, 'steps'>): Spent | undefined {
  const known = steps.flatMap(({ spent }) => (spent === undefined ? [] : [spent]));
  return known.length === 0 || known.length < steps.length ? undefined : known.reduce(addSpent, NOTHING_SPENT);
}

/** As far as a result of an earlier release knows it. */
function workOfResult(result: Pick<RunResult, 'tables'>, levels: number): RunWork {
  const tables = published(result);
  return {
    files: 0,
    tables,
    existing: tables,
    reads: 0,
    writes: 0,
    levels: Array.from({ length: levels }, () => ({ stage: [], merge: [] })),
  };
}

function published({ tables }: Pick<RunResult, 'tables'>): number {
  return Object.values(tables).filter((table) => table.snapshot_id !== null).length;
}

/** How often a step is called, and for how long in all. */
type StepUse<Step extends StepName = StepName> = {
  readonly step: Step;
  readonly calls: number;
  readonly seconds: number;
};

export type Used = {
  readonly uses: readonly StepUse[];
  readonly transitions: number;
  readonly requests: Requests;
  /** With the bytes of a run that has been. */
  readonly spent?: Spent;
};

/** What is asked for calls of steps, state transitions and requests. */
export function priceRun(
  { uses, transitions, requests, spent }: Used,
  compute: Compute,
  prices: Prices,
): EstimatedCost {
  const { lambda, s3 } = prices;
  const calls = sum(uses.map((use) => use.calls));
  const memory = uses
    .filter((use) => use.calls > 0)
    .map(({ step, seconds }) => {
      const quantity = (seconds * sizesOf(compute, step).memoryMb) / 1_024;
      return line('Lambda', step, quantity, 'GB-seconds', lambda.gbSecond);
    });
  const tmp = sum(
    uses.map(({ step, seconds }) => (seconds * Math.max(0, sizesOf(compute, step).tmpMb - lambda.freeTmpMb)) / 1_024),
  );
  const exact = [
    ...memory,
    line('Lambda', '/tmp', tmp, 'GB-seconds', lambda.tmpGbSecond),
    line('Lambda', 'requests', calls, 'requests', lambda.request),
    line('Step Functions', 'state transitions', transitions, 'transitions', prices.transition),
    line('S3', 'PUT and LIST', requests.put, 'requests', s3.put),
    line('S3', 'GET', requests.get, 'requests', s3.get),
    ...bytesOf(spent),
  ];
  return {
    region: prices.region,
    prices_checked: prices.checked,
    lines: exact.map((one) => ({ ...one, quantity: round(one.quantity, 3), usd: round(one.usd, 9) })),
    usd: round(sum(exact.map((one) => one.usd)), 9),
  };
}

/** Between S3 and functions of one region bytes are free; they say how large the run was. */
function bytesOf(spent: Spent | undefined): readonly CostLine[] {
  if (spent === undefined) return [];
  return [
    line('S3', 'files read', spent.bytes_in, 'bytes', 0),
    line('S3', 'files written', spent.bytes_out, 'bytes', 0),
  ];
}

function line(service: CostLine['service'], item: string, quantity: number, unit: string, price: number): CostLine {
  return { service, item, quantity, unit, usd: quantity * price };
}

function glueCost(vcpuSeconds: number, { glue }: Prices): CostEstimate['glue'] {
  const seconds = Math.max(glue.seconds, Math.ceil(vcpuSeconds / (glue.dpus * glue.vcpus)));
  return { dpus: glue.dpus, seconds, usd: round((glue.dpus * seconds * glue.dpuHour) / 3_600, 9) };
}

function vcpuSecondsOf({ kind, bytes }: UnitWork, rates: Rates): number {
  return bytes / rates.bytesPerSecond[kind];
}

function requestsOf({ get, put }: Requests): number {
  return get + put;
}

function countUnits(units: readonly UnitWork[]): number {
  return sum(units.map((unit) => unit.units));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function round(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}
