import { type Branch, firingOf, lastUpTo, periodOf } from '../../core/schedule/branch.ts';

/** What is known of a period of a branch. */
export type KnownPeriod = {
  readonly period: string;
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly run_id: string;
  readonly attempts: number;
  /** ISO instant. */
  readonly finished_at: string;
};

/** A period that is to be run: when it begins, and which attempt at it this is, from 1 on. */
export type DuePeriod = { readonly period: string; readonly firing: Date; readonly attempt: number };

/** So often a period that has failed is tried by runs that nobody asked for it. */
export const MOST_ATTEMPTS = 3;

/** A schedule tries for so long to start a run; after that the period was missed. */
export const ON_TIME_MS = 3_600_000;

/** So many firings are looked at together for those that were missed. */
const LOOKED_AT = 1_000;

/**
 * The periods that a run of a branch is to do now, the oldest first: the one that is due, those that have failed before, and those that
 * were missed, as the branch says. What came before the first period that is known was missed by no one.
 */
export function pendingPeriods(branch: Branch, known: readonly KnownPeriod[], now: Date): readonly DuePeriod[] {
  const byName = new Map(known.map((one) => [one.period, one]));
  const first = known.map(({ period }) => period).sort()[0];
  const fired = branch.catchup === 'all' ? allSince(branch, { first, byName }, now) : lastUpTo(branch, now);
  const due = new Map<string, Date>();
  for (const [at, firing] of fired.entries()) {
    const period = periodOf(branch, firing);
    const last = at === fired.length - 1;
    const counts = last ? isOnTime(branch, firing, now) : first !== undefined && period > first;
    // A zone that has the same day twice over has the period with the first firing.
    if (counts && !byName.has(period) && !due.has(period)) due.set(period, firing);
    if (last && byName.get(period)?.status === 'FAILED') due.set(period, firing);
  }
  for (const { period, status, attempts } of known) {
    const firing = status === 'FAILED' && attempts < MOST_ATTEMPTS ? beginOf(branch, period) : undefined;
    if (firing !== undefined && firing <= now) due.set(period, firing);
  }
  return [...due]
    .map(([period, firing]) => ({ period, firing, attempt: (byName.get(period)?.attempts ?? 0) + 1 }))
    .sort((a, b) => a.firing.getTime() - b.firing.getTime());
}

type Known = { readonly first: string | undefined; readonly byName: ReadonlyMap<string, KnownPeriod> };

/** Firings back to the first period that is known, or to where so many are known that those before them have been caught up. */
function allSince(branch: Branch, { first, byName }: Known, now: Date): readonly Date[] {
  const parts: (readonly Date[])[] = [];
  for (let until = now; ; ) {
    const part = lastUpTo(branch, until, LOOKED_AT);
    parts.unshift(part);
    const [oldest] = part;
    const periods = part.map((firing) => periodOf(branch, firing));
    const isLast = first === undefined || (periods[0] ?? first) <= first || periods.every((one) => byName.has(one));
    if (oldest === undefined || isLast || part.length < LOOKED_AT) return parts.flat();
    until = new Date(oldest.getTime() - 1);
  }
}

function isOnTime({ catchup }: Branch, firing: Date, now: Date): boolean {
  return catchup !== 'none' || now.getTime() - firing.getTime() <= ON_TIME_MS;
}

/** Undefined for a period that the branch no longer has, as its schedule is another since. */
function beginOf(branch: Branch, period: string): Date | undefined {
  try {
    return firingOf(branch, period);
  } catch {
    return undefined;
  }
}
