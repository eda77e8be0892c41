import type { RunFact } from '../core/run-fact.ts';
import { byEnd } from './incidents.ts';

/** A time of which the start and the end are known, in ms since the epoch; `to` null: it lasts. */
export type Stretch = { readonly from: number; readonly to: number | null };

/** When the latest run that succeeded ended. */
export function lastSuccess(runs: readonly RunFact[]): number | null {
  return byEnd(runs).findLast(({ succeeded }) => succeeded)?.finished ?? null;
}

/**
 * When the clock of freshness began: at the last success, or, where there never was one, with the first run. Null: there are no runs.
 */
export function freshSince(runs: readonly RunFact[]): number | null {
  const starts = runs.map(({ started }) => started);
  return lastSuccess(runs) ?? (starts.length === 0 ? null : starts.reduce((a, b) => Math.min(a, b)));
}

/** How long a window was looked at, and the times in it at which the last success was longer ago than `target`. */
export type Staleness = { readonly ms: number; readonly stale: readonly Stretch[]; readonly staleMs: number };

/** Time counts from the start of the window, or of the first run. */
export function stalenessOf(
  runs: readonly RunFact[],
  target: number,
  window: { readonly from: number; readonly now: number },
): Staleness {
  const first = runs.reduce((least, { started }) => Math.min(least, started), Number.POSITIVE_INFINITY);
  const begin = Math.max(window.from, first);
  if (begin >= window.now) return { ms: 0, stale: [], staleMs: 0 };
  const resets = [first, ...byEnd(runs).flatMap(({ succeeded, finished }) => (succeeded ? [finished] : []))];
  const stale = resets.flatMap((at, place): readonly Stretch[] => {
    const next = resets[place + 1];
    const from = Math.max(at + target, begin);
    return from < (next ?? window.now) ? [{ from, to: next ?? null }] : [];
  });
  const staleMs = stale.reduce((sum, { from, to }) => sum + (to ?? window.now) - from, 0);
  return { ms: window.now - begin, stale, staleMs };
}
