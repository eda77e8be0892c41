import type { ModelFact } from '../core/model-fact.ts';
import { durationsOf, mean } from './statistics.ts';

/** A model as it stands in the catalog. Times are in ms, instants ISO texts. */
export type ModelEntry = Omit<ModelFact, 'runs'> & {
  readonly last_run: { readonly run_id: string; readonly status: string; readonly finished_at: string } | null;
  /** Of runs in which it had work and that succeeded. */
  readonly runs: number;
  readonly p95_ms: number | null;
  /** There are so few runs that a p95 says little. */
  readonly few: boolean;
  /** US dollars, on the average of these. */
  readonly cost_usd: number | null;
  /** Since its rows were last made anew or added to. */
  readonly freshness_ms: number | null;
};

export function entryOf({ runs, ...same }: ModelFact, now: number): ModelEntry {
  const succeeded = runs.filter(({ status }) => status === 'SUCCEEDED');
  const { n, p95, few } = durationsOf(succeeded.map(({ duration_ms }) => duration_ms));
  const [last, success] = [runs.at(-1), succeeded.at(-1)];
  return {
    ...same,
    last_run:
      last === undefined
        ? null
        : { run_id: last.run_id, status: last.status, finished_at: new Date(last.finished).toISOString() },
    runs: n,
    p95_ms: p95,
    few,
    cost_usd: mean(succeeded.flatMap(({ cost_usd }) => (cost_usd === null ? [] : [cost_usd]))),
    freshness_ms: success === undefined ? null : Math.max(0, now - success.finished),
  };
}
