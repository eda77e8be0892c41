import type { Compute } from '../core/compute.ts';
import type { CompactionCost, EstimatedCost } from '../core/cost.ts';
import { addRequests, type Measured, type Requests, times } from '../core/requests.ts';
import { vcpusOf } from '../core/worker-memory.ts';
import { type CostOptions, priceRun } from './cost.ts';
import { PRICES } from './prices.ts';
import { PER_UNIT } from './run-shape.ts';
import { ASSUMED_RATES } from './run-work.ts';

/** What a compaction would write anew. */
export type CompactionWork = {
  readonly tables: number;
  readonly units: number;
  /** Data files that are read, and that come of them. */
  readonly files: number;
  readonly filesAfter: number;
  readonly bytes: number;
};

/** Units that are rewritten at once, as the state machine says. */
export const REWRITES_AT_ONCE = 20;

type RewriteStep = 'OpenRewrite' | 'Rewrite' | 'CommitRewrite' | 'FinishRewrite';

/** Of one call of a step, and of each table in it: counted in compactions of one table and of five. */
const CALL: Readonly<Record<RewriteStep, Requests>> = {
  OpenRewrite: { get: 10, put: 4 },
  Rewrite: { get: 5, put: 2 },
  CommitRewrite: { get: 12, put: 6 },
  FinishRewrite: { get: 15, put: 3 },
};
const TABLE: Readonly<Record<RewriteStep, Requests>> = {
  OpenRewrite: { get: 8, put: 2 },
  Rewrite: { get: 0, put: 0 },
  CommitRewrite: { get: 17, put: 6 },
  FinishRewrite: { get: 9, put: 1 },
};
/** Around the steps: a look at the lock for each call, and the list and the results of the map. */
const LOOK: Requests = { get: 1, put: 0 };
const MAP: Requests = { get: 1, put: 2 };

/** What a compaction measured of itself, before it is entered into the books. */
export type CompactionMeasured = {
  readonly tables: number;
  readonly planning_ms: number;
  /** Of each unit that has ended, in all rounds. */
  readonly units: readonly Measured[];
  readonly commit: Measured;
};

/** What a compaction has cost on AWS, by what its units and its commit measured; what opens it and ends it asks for is assumed. */
export function costOfCompaction(
  { tables, planning_ms, units, commit }: CompactionMeasured,
  compute: Compute,
  { prices = PRICES, rates = ASSUMED_RATES }: CostOptions = {},
): EstimatedCost {
  const assumed = (step: RewriteStep): Requests => addRequests(CALL[step], times(TABLE[step], tables));
  const { get, put } = assumed('FinishRewrite');
  const ms = {
    OpenRewrite: planning_ms,
    Rewrite: units.reduce((sum, unit) => sum + unit.ms, 0),
    CommitRewrite: commit.ms,
    FinishRewrite: (get + put) * rates.requestMs,
  };
  const calls = { OpenRewrite: 1, Rewrite: units.length, CommitRewrite: 1, FinishRewrite: 1 };
  const steps = Object.keys(CALL) as RewriteStep[];
  const uses = steps.map((step) => ({
    step,
    calls: calls[step],
    seconds: (ms[step] + calls[step] * rates.startMs) / 1_000,
  }));
  const requests = addRequests(
    ...units.map(({ spent }) => spent ?? CALL.Rewrite),
    commit.spent ?? assumed('CommitRewrite'),
    ...(['OpenRewrite', 'FinishRewrite'] as const).map(assumed),
    times(LOOK, units.length + 3),
    MAP,
  );
  return priceRun({ uses, transitions: TRANSITIONS + PER_UNIT * units.length, requests }, compute, prices);
}

/** What one expiry or vacuum has cost on AWS, from its plan on; what the execution around it takes is that of a compaction, or nobody's. */
export function costOfSweep({ ms, spent }: Measured, compute: Compute, options: CostOptions = {}): EstimatedCost {
  const { prices = PRICES, rates = ASSUMED_RATES } = options;
  const uses = [{ step: 'Sweep', calls: 1, seconds: (ms + rates.startMs) / 1_000 }] as const;
  const requests = addRequests(spent ?? { get: 0, put: 0 }, LOOK);
  return priceRun({ uses, transitions: SWEEP_TRANSITIONS, requests }, compute, prices);
}

/** Sweep, and the look at whether there is another. */
const SWEEP_TRANSITIONS = 2;

/** OpenRewrite, IsThereMaintenance, RewriteMap, CommitRewrite, IsThereAnotherRound, FinishRewrite, IsOwnRun, Done. */
const TRANSITIONS = 8;

/** What a compaction would cost on AWS, by the same rates and prices as a run: its bytes are read, and written again. */
export function estimateCompaction(
  work: CompactionWork,
  compute: Compute,
  { prices = PRICES, rates = ASSUMED_RATES }: CostOptions = {},
): CompactionCost {
  const calls = { OpenRewrite: 1, Rewrite: work.units, CommitRewrite: 1, FinishRewrite: 1 };
  const files: Requests = { get: work.files, put: work.filesAfter };
  const requestsOf = (step: RewriteStep): Requests =>
    addRequests(
      times(CALL[step], calls[step]),
      times(TABLE[step], work.tables),
      ...(step === 'Rewrite' ? [files] : []),
    );
  const working = work.bytes / rates.bytesPerSecond.merge / vcpusOf(compute.steps.Rewrite.memoryMb);
  const steps = Object.keys(CALL) as RewriteStep[];
  const uses = steps.map((step) => {
    const { get, put } = requestsOf(step);
    const waiting = (calls[step] * rates.startMs + (get + put) * rates.requestMs) / 1_000;
    return { step, calls: calls[step], seconds: waiting + (step === 'Rewrite' ? working : 0) };
  });
  const count = steps.reduce((sum, step) => sum + calls[step], 0);
  const requests = addRequests(...steps.map(requestsOf), times(LOOK, count), MAP);
  const transitions = TRANSITIONS + PER_UNIT * work.units;
  const atOnce = Math.max(1, Math.min(work.units, REWRITES_AT_ONCE));
  const seconds = uses.reduce((sum, use) => sum + use.seconds / (use.step === 'Rewrite' ? atOnce : 1), 0);
  return { ...priceRun({ uses, transitions, requests }, compute, prices), seconds: Number(seconds.toFixed(1)) };
}
