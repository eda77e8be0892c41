import { DEFAULT_OBJECTIVE, type Slo } from '../core/compute.ts';
import { formatReadyBy } from '../core/ready-by.ts';
import type { RunFact } from '../core/run-fact.ts';
import { freshSince, stalenessOf } from './freshness.ts';
import { byEnd, type Incident, incidentsOf, meanTimeToRepair } from './incidents.ts';
import { dueDays } from './ready.ts';
import { FEW, percentOf, quantile } from './statistics.ts';

export type PromiseName = 'freshness' | 'ready' | 'successRate' | 'p95' | 'quarantineRate' | 'mttr';

/** Where a promise was not kept: a time, or one run or day. */
export type Breach = { readonly from: number; readonly to: number | null; readonly what: string };

/** One of the things that are promised, and how it is kept. Times are in ms, shares in percent. */
export type Judged = {
  readonly name: PromiseName;
  readonly target: number | string;
  /** What the target is compared with: how old, how long, how many percent; null where there is nothing to compare. */
  readonly actual: number | null;
  /** The share that has to keep to the target; null: the target is about a mean. */
  readonly objective: number | null;
  /** The share that did. */
  readonly attained: number | null;
  /** Runs, days or incidents that were looked at; of freshness ms. */
  readonly of: number;
  /** Percent of what the objective lets go wrong that is left; below 0: more went wrong. */
  readonly budget_left: number | null;
  /** The latest last. */
  readonly breaches: readonly Breach[];
  /** `unknown`: nothing to judge by, or too few runs. */
  readonly state: 'met' | 'breached' | 'unknown';
};

/** What figures look at: from `from` up to now. */
export type Window = { readonly from: number; readonly now: number; readonly timezone: string };

const P95 = 95;

/** Judges what is promised by all runs of a pipeline that are known; in the order in which a person would ask. */
export function judgeSlo(slo: Slo, runs: readonly RunFact[], window: Window): readonly Judged[] {
  const inWindow = byEnd(runs).filter(({ finished }) => finished >= window.from);
  const objective = slo.objective ?? DEFAULT_OBJECTIVE;
  return [
    slo.freshnessMs === null ? undefined : judgeFreshness(slo.freshnessMs, objective, runs, window),
    slo.ready === undefined ? undefined : judgeReady(slo.ready, objective, runs, window),
    slo.successRate === undefined ? undefined : judgeSuccess(slo.successRate, inWindow),
    slo.p95Ms === undefined ? undefined : judgeP95(slo.p95Ms, inWindow),
    slo.quarantineRate === null ? undefined : judgeRejected(slo.quarantineRate, objective, inWindow),
    slo.mttrMs === undefined ? undefined : judgeRepair(slo.mttrMs, incidentsOf(runs), window),
  ].filter((one) => one !== undefined);
}

function judgeFreshness(target: number, objective: number, runs: readonly RunFact[], window: Window): Judged {
  const since = freshSince(runs);
  const actual = since === null ? null : Math.max(0, window.now - since);
  const { ms, stale, staleMs } = stalenessOf(runs, target, window);
  const share = shareOf(ms, staleMs, objective);
  const breaches = stale.map((one) => ({ ...one, what: 'no run had succeeded for longer than the target' }));
  const state = stateOf(actual, (age) => age > target || missed(share.attained, objective));
  return { name: 'freshness', target, actual, objective, of: ms, ...share, breaches, state };
}

function judgeReady(
  target: NonNullable<Slo['ready']>,
  objective: number,
  runs: readonly RunFact[],
  window: Window,
): Judged {
  const days = dueDays(runs, target, window.timezone, window);
  const late = days.filter(({ due, ready }) => ready === null || ready > due);
  const share = shareOf(days.length, late.length, objective);
  const breaches = late.map(({ day, due, ready }) => ({ from: due, to: ready, what: day }));
  const latest = days.at(-1);
  const waits = latest !== undefined && latest.ready === null;
  const state = stateOf(share.attained, (attained) => waits || missed(attained, objective));
  const named = { name: 'ready', target: formatReadyBy(target), actual: share.attained } as const;
  return { ...named, objective, of: days.length, ...share, breaches, state };
}

function judgeSuccess(target: number, runs: readonly RunFact[]): Judged {
  const failed = runs.filter(({ succeeded }) => !succeeded);
  const share = shareOf(runs.length, failed.length, target);
  const state = stateOf(share.attained, (attained) => missed(attained, target));
  const named = { name: 'successRate', target, actual: share.attained, objective: target } as const;
  return { ...named, of: runs.length, ...share, breaches: failed.map(breachBy), state };
}

function judgeP95(target: number, runs: readonly RunFact[]): Judged {
  const succeeded = runs.filter((run) => run.succeeded);
  const long = succeeded.filter(({ duration_ms }) => duration_ms > target);
  const share = shareOf(succeeded.length, long.length, P95);
  const actual = quantile(
    succeeded.map(({ duration_ms }) => duration_ms),
    P95 / 100,
  );
  const state = succeeded.length < FEW ? 'unknown' : stateOf(actual, (p95) => p95 > target);
  const named = { name: 'p95', target, actual, objective: P95 } as const;
  return { ...named, of: succeeded.length, ...share, breaches: long.map(breachBy), state };
}

function judgeRejected(target: number, objective: number, runs: readonly RunFact[]): Judged {
  const counted = runs.flatMap((run) => {
    const rate = run.succeeded && run.read !== undefined ? percentOf(run.rejected ?? 0, run.read) : null;
    return rate === null ? [] : [{ run, rate }];
  });
  const over = counted.filter(({ rate }) => rate > target);
  const share = shareOf(counted.length, over.length, objective);
  const actual = counted.at(-1)?.rate ?? null;
  const state = stateOf(actual, (rate) => rate > target || missed(share.attained, objective));
  const breaches = over.map(({ run }) => breachBy(run));
  return { name: 'quarantineRate', target, actual, objective, of: counted.length, ...share, breaches, state };
}

/** Incidents that ended in the window are averaged; one that lasts is a breach from when it has lasted too long. */
function judgeRepair(target: number, incidents: readonly Incident[], { from, now }: Window): Judged {
  const over = incidents.filter(({ to }) => to !== null && to >= from);
  const open = incidents.find(({ to }) => to === null);
  const actual = meanTimeToRepair(over);
  const long = over.filter((one) => (one.to ?? now) - one.from > target);
  const lasts = open !== undefined && now - open.from > target ? [open] : [];
  const attained = percentOf(over.length - long.length, over.length);
  const breaches = [...long, ...lasts].map((one) => ({ from: one.from, to: one.to, what: one.failures.join(', ') }));
  const state = lasts.length > 0 ? 'breached' : stateOf(actual, (mean) => mean > target);
  const without = { objective: null, budget_left: null };
  return { name: 'mttr', target, actual, ...without, attained, of: over.length, breaches, state };
}

function breachBy({ run_id, started, finished }: RunFact): Breach {
  return { from: started, to: finished, what: run_id };
}

/** How much kept to the target, and what is left of what need not. */
function shareOf(all: number, wrong: number, objective: number): Pick<Judged, 'attained' | 'budget_left'> {
  const allowed = (all * (100 - objective)) / 100;
  if (all === 0) return { attained: null, budget_left: null };
  // Where nothing may go wrong there is no budget to take a share of.
  const left = allowed === 0 ? Number(wrong === 0) * 100 : 100 - (100 * wrong) / allowed;
  return { attained: (100 * (all - wrong)) / all, budget_left: left };
}

function missed(attained: number | null, objective: number): boolean {
  return attained !== null && attained < objective;
}

function stateOf(actual: number | null, isBreached: (actual: number) => boolean): Judged['state'] {
  if (actual === null) return 'unknown';
  return isBreached(actual) ? 'breached' : 'met';
}
