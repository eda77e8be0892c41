import type { RunFact } from '../core/run-fact.ts';
import type { StatusFacts } from '../core/status-facts.ts';
import { lastSuccess } from './freshness.ts';
import { byEnd, type Incident, incidentsOf, meanTimeToRepair } from './incidents.ts';
import { type Judged, judgeSlo } from './slo.ts';
import { type Durations, durationsOf, percentOf } from './statistics.ts';

/** What a person on call looks at first. Times of `slo`, `runs` and `mttr_ms` are in ms, instants are ISO texts. */
export type PipelineStatus = Omit<StatusFacts, 'slo' | 'runs' | 'timezone'> & {
  readonly at: string;
  readonly last_run: LastRun | null;
  readonly last_success: string | null;
  readonly freshness_ms: number | null;
  /** Days that the figures below are of. */
  readonly days: number;
  readonly runs: Durations & { readonly failed: number; readonly success_rate: number | null };
  readonly incidents: number;
  readonly mttr_ms: number | null;
  readonly open_incident: OpenIncident | null;
  readonly slo: readonly Judged[];
  /** Names of promises that are not kept, and `breaker` where it is open. */
  readonly breached: readonly string[];
};

type LastRun = Pick<RunFact, 'run_id' | 'duration_ms' | 'error'> & {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly started_at: string;
  readonly finished_at: string;
};

type OpenIncident = { readonly since: string; readonly failures: number; readonly error: string | null };

const DAY_MS = 86_400_000;
export const DEFAULT_DAYS = 30;

/** Judges a pipeline at a moment by its runs of so many days. */
export function judgePipeline(facts: StatusFacts, now: number, days: number = DEFAULT_DAYS): PipelineStatus {
  const { slo, runs: all, timezone, ...same } = facts;
  const window = { from: now - days * DAY_MS, now, timezone };
  const runs = byEnd(all);
  const recent = runs.filter(({ finished }) => finished >= window.from);
  const succeeded = recent.filter((run) => run.succeeded);
  const incidents = incidentsOf(runs);
  const over = incidents.filter(({ to }) => to !== null && to >= window.from);
  const judged = judgeSlo(slo, runs, window);
  const success = lastSuccess(runs);
  return {
    ...same,
    at: isoOf(now),
    last_run: lastRunOf(runs.at(-1)),
    last_success: success === null ? null : isoOf(success),
    freshness_ms: success === null ? null : Math.max(0, now - success),
    days,
    runs: {
      ...durationsOf(succeeded.map(({ duration_ms }) => duration_ms)),
      failed: recent.length - succeeded.length,
      success_rate: percentOf(succeeded.length, recent.length),
    },
    incidents: over.length,
    mttr_ms: meanTimeToRepair(over),
    open_incident: openOf(incidents.at(-1)),
    slo: judged,
    breached: [
      ...judged.flatMap(({ name, state }) => (state === 'breached' ? [name] : [])),
      ...(facts.breaker === 'open' ? ['breaker'] : []),
    ],
  };
}

function lastRunOf(run: RunFact | undefined): LastRun | null {
  if (run === undefined) return null;
  const { run_id, duration_ms, error, succeeded, started, finished } = run;
  const status = succeeded ? 'SUCCEEDED' : 'FAILED';
  return { run_id, status, started_at: isoOf(started), finished_at: isoOf(finished), duration_ms, error };
}

function openOf(latest: Incident | undefined): OpenIncident | null {
  if (latest === undefined || latest.to !== null) return null;
  return { since: isoOf(latest.from), failures: latest.failures.length, error: latest.error };
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
