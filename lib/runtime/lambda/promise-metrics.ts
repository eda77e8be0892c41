import type { Slo } from '../../core/compute.ts';
import type { RunFact } from '../../core/run-fact.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { incidentsOf, meanTimeToRepair } from '../../report/incidents.ts';
import { judgeSlo } from '../../report/slo.ts';
import { DEFAULT_DAYS } from '../../report/status.ts';
import type { Measure } from './telemetry.ts';

/** A run in few bytes: `[started, finished, succeeded, duration_ms, read, rejected]`. */
type Brief = readonly [number, number, 0 | 1, number, number, number];

/** The runs by which promises are judged when the next one ends. */
export type Kept = { readonly runs: readonly Brief[] };

/** What is promised, and in which days. */
export type Promised = Pick<PipelineSpec, 'slo'> & { readonly timezone?: string };

type Figure = readonly [Parameters<Measure>[0], number];

const DAY_MS = 86_400_000;
/** What ends a run reads all of them: some 100 kB. */
const MOST_KEPT = 2_000;

/** Whether something is promised: else nothing is kept, and nothing measured. */
export function hasPromises(slo: Slo | undefined): boolean {
  const { objective: _share, ...targets } = slo ?? {};
  return Object.values(targets).some((target) => target !== null && target !== undefined);
}

/**
 * Adds a run that has ended to those that are kept, once, and judges what is promised by all of them, with the module that `strata status`
 * judges by. Runs from before there was such a list are not in it.
 */
export function judgeEnded(
  kept: Kept | undefined,
  ended: Omit<RunFact, 'run_id' | 'error'>,
  { slo, timezone = 'UTC' }: Promised,
): { readonly kept: Kept; readonly figures: readonly Figure[] } {
  const now = ended.finished;
  const window = { from: now - DEFAULT_DAYS * DAY_MS, now, timezone };
  const own = briefOf(ended);
  const known = kept?.runs ?? [];
  const isOwn = ([started, , succeeded]: Brief): boolean => started === own[0] && succeeded === own[2];
  // One that is gone on with and fails again has failed since the first time.
  const all = known.some(isOwn) ? known : [...known, own];
  // The last one from before the window says how old the tables were at its start.
  const recent = all.filter(([, finished], at) => {
    const next = all[at + 1];
    return finished >= window.from || (next !== undefined && next[1] >= window.from);
  });
  const runs = recent.slice(-MOST_KEPT);
  const facts = runs.map(factOf);
  const judged = judgeSlo(slo, facts, window);
  const budgets = judged.flatMap(({ budget_left }) => budget_left ?? []);
  const repaired = meanTimeToRepair(incidentsOf(facts).filter(({ to }) => to !== null && to >= window.from));
  return {
    kept: { runs },
    figures: [
      ['PromisesBroken', judged.filter(({ state }) => state === 'breached').length],
      ...(budgets.length === 0 ? [] : [['ErrorBudgetLeft', Math.min(...budgets)] as const]),
      ...(repaired === null ? [] : [['MeanTimeToRepair', repaired] as const]),
    ],
  };
}

function briefOf({
  started,
  finished,
  succeeded,
  duration_ms,
  read = 0,
  rejected = 0,
}: Omit<RunFact, 'run_id' | 'error'>): Brief {
  return [started, finished, succeeded ? 1 : 0, duration_ms, read, rejected];
}

function factOf([started, finished, succeeded, duration_ms, read, rejected]: Brief): RunFact {
  return {
    run_id: String(started),
    started,
    finished,
    succeeded: succeeded === 1,
    duration_ms,
    error: null,
    read,
    rejected,
  };
}
