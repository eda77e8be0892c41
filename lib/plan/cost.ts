import type { Compute } from '../core/compute.ts';
import type { RunResult } from '../core/run.ts';
import { STEP_NAMES, type StepName } from '../core/states.ts';
import { vcpusOf } from '../core/worker-memory.ts';
import { PRICES, type Prices } from './prices.ts';
import { ASSUMED_RATES, CALLS, type Rates, type Requests, type RunWork, type UnitWork } from './run-work.ts';

export type CostLine = {
  readonly service: 'Lambda' | 'Step Functions' | 'S3';
  readonly item: string;
  readonly quantity: number;
  readonly unit: string;
  readonly usd: number;
};

/** What a run costs on AWS, in US dollars: transfers, logs, keys, the Glue catalog's and the triggers' cents are left out. */
export type EstimatedCost = {
  readonly region: string;
  /** The day of the price table. */
  readonly prices_checked: string;
  readonly lines: readonly CostLine[];
  readonly usd: number;
};

/** An estimate before the run, with the smallest Glue job that does the same work beside it. */
export type CostEstimate = EstimatedCost & {
  readonly glue: { readonly dpus: number; readonly seconds: number; readonly usd: number };
  /** Where the durations come from: `run` is an earlier run whose staging was measured, null where all are assumed. */
  readonly rates: Rates & { readonly run: string | null };
};

/**
 * What a run would cost. A call of a step takes its start, its requests one after the other, and its bytes by the rates
 * and by the vCPUs of its function. On Glue the same bytes are worked by the same rates, without starts and requests.
 */
export function estimateRun(
  work: RunWork,
  compute: Compute,
  options: { readonly prices?: Prices; readonly rates?: Rates; readonly measuredIn?: string } = {},
): CostEstimate {
  const { prices = PRICES, rates = ASSUMED_RATES, measuredIn } = options;
  const stage = work.levels.flatMap((level) => level.stage);
  const merge = work.levels.flatMap((level) => level.merge);
  const vcpuSeconds = {
    Stage: sum(stage.map((unit) => vcpuSecondsOf(unit, rates))),
    Merge: sum(merge.map((unit) => vcpuSecondsOf(unit, rates))),
  };
  const calls = callsOf(work.levels.length, countUnits(stage), countUnits(merge));
  const uses = STEP_NAMES.map((step) => {
    const ofTables = step === 'Audit' ? work.tables * requestsOf(TABLE) : 0;
    const requests = calls[step] * requestsOf(CALLS[step]) + ofTables;
    const waiting = (calls[step] * rates.startMs + requests * rates.requestMs) / 1_000;
    const working =
      step === 'Stage' || step === 'Merge' ? vcpuSeconds[step] / vcpusOf(compute.steps[step].memoryMb) : 0;
    return { step, calls: calls[step], seconds: waiting + working };
  });
  const cost = priceRun(uses, { ...work, stage, merge }, compute, prices);
  return {
    ...cost,
    glue: glueCost(vcpuSeconds.Stage + vcpuSeconds.Merge, prices),
    rates: { ...rates, run: measuredIn ?? null },
  };
}

/**
 * What a finished run has cost, by the times that its steps took; those that its result does not time, and the start of
 * each call, are assumed. Repeated attempts are not known to a result.
 */
export function costOfRun(result: RunResult, compute: Compute, prices: Prices = PRICES): EstimatedCost {
  const rates = ASSUMED_RATES;
  const timed = (step: StepName): RunResult['steps'] => result.steps.filter((timing) => timing.step === step);
  const units = (step: 'Stage' | 'Merge'): number => sum(timed(step).map((timing) => timing.units));
  const calls = callsOf(timed('Audit').length, units('Stage'), units('Merge'));
  const uses = STEP_NAMES.map((step) => {
    const own = timed(step);
    const unmeasured = own.length === 0 ? rates.requestMs * requestsOf(CALLS[step]) : 0;
    const ms = sum(own.map((timing) => timing.ms)) + calls[step] * (rates.startMs + unmeasured);
    return { step, calls: calls[step], seconds: ms / 1_000 };
  });
  const counted = (step: 'Stage' | 'Merge'): readonly UnitWork[] => [{ kind: 'model', units: units(step), bytes: 0 }];
  const tables = Object.values(result.tables).filter((table) => table.snapshot_id !== null).length;
  return priceRun(
    uses,
    { files: 0, tables, stage: counted('Stage'), merge: counted('Merge'), levels: timed('Audit') },
    compute,
    prices,
  );
}

type StepUse = { readonly step: StepName; readonly calls: number; readonly seconds: number };

type Counted = Pick<RunWork, 'files' | 'tables'> & {
  readonly levels: readonly unknown[];
  readonly stage: readonly UnitWork[];
  readonly merge: readonly UnitWork[];
};

function priceRun(uses: readonly StepUse[], work: Counted, compute: Compute, prices: Prices): EstimatedCost {
  const { lambda, s3 } = prices;
  const calls = sum(uses.map((use) => use.calls));
  const memory = uses
    .filter((use) => use.calls > 0)
    .map(({ step, seconds }) => {
      const quantity = (seconds * compute.steps[step].memoryMb) / 1_024;
      return line('Lambda', step, quantity, 'GB-seconds', lambda.gbSecond);
    });
  const tmp = sum(
    uses.map(({ step, seconds }) => (seconds * Math.max(0, compute.steps[step].tmpMb - lambda.freeTmpMb)) / 1_024),
  );
  const requests = requestsOfRun(uses, work);
  const exact = [
    ...memory,
    line('Lambda', '/tmp', tmp, 'GB-seconds', lambda.tmpGbSecond),
    line('Lambda', 'requests', calls, 'requests', lambda.request),
    line('Step Functions', 'state transitions', transitionsOf(work), 'transitions', prices.transition),
    line('S3', 'PUT and LIST', requests.put, 'requests', s3.put),
    line('S3', 'GET', requests.get, 'requests', s3.get),
  ];
  return {
    region: prices.region,
    prices_checked: prices.checked,
    lines: exact.map((one) => ({ ...one, quantity: round(one.quantity, 3), usd: round(one.usd, 9) })),
    usd: round(sum(exact.map((one) => one.usd)), 9),
  };
}

function line(service: CostLine['service'], item: string, quantity: number, unit: string, price: number): CostLine {
  return { service, item, quantity, unit, usd: quantity * price };
}

function callsOf(levels: number, stage: number, merge: number): Readonly<Record<StepName, number>> {
  return {
    Open: 1,
    PlanStage: levels,
    Stage: stage,
    PlanMerge: levels,
    Merge: merge,
    Audit: levels,
    Commit: 1,
    Finish: 1,
  };
}

/** States of a run that is no part of a level: Open, IsThereWork, Commit, Finish, IsOwnRun, Done. */
const AROUND = 6;
/** PlanStage, StageMap, PlanMerge, MergeMap, Audit, MoreLevels. */
const PER_LEVEL = 6;
/** The child execution that a distributed map starts, and the one state in it. Source: docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html */
const PER_UNIT = 2;

function transitionsOf({ levels, stage, merge }: Counted): number {
  return AROUND + PER_LEVEL * levels.length + PER_UNIT * (countUnits(stage) + countUnits(merge));
}

/** An object of more is read in parts of it, each a request. */
const PART_BYTES = 16 * 2 ** 20;
/** Of one LIST. */
const LISTED = 1_000;
/** A map reads its list of items and writes a manifest and a list of results. */
const MAP: Requests = { get: 1, put: 2 };
/** Of a table that is written: its audit, its manifests and its commit. */
const TABLE: Requests = { get: 30, put: 6 };

function requestsOfRun(uses: readonly StepUse[], { files, tables, levels, stage, merge }: Counted): Requests {
  const parts = sum([...stage, ...merge].map((unit) => Math.floor(unit.bytes / PART_BYTES)));
  const maps = 2 * levels.length;
  return {
    get:
      sum(uses.map(({ step, calls }) => calls * CALLS[step].get)) + maps * MAP.get + tables * TABLE.get + files + parts,
    put:
      sum(uses.map(({ step, calls }) => calls * CALLS[step].put)) +
      maps * MAP.put +
      tables * TABLE.put +
      Math.floor(files / LISTED),
  };
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
