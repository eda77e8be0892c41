import type { ReadyBy } from '../core/ready-by.ts';
import type { RunFact } from '../core/run-fact.ts';

/** A day whose data were due in a window. */
export type DueDay = {
  readonly day: string;
  readonly due: number;
  /** When the first run ended that succeeded and had begun after the day; null: none has. */
  readonly ready: number | null;
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/**
 * The days that were due in the window, from the day of the first run on. The data of a day are complete when a run has succeeded that
 * began after it had ended: one that began before may have missed files of it.
 */
export function dueDays(
  runs: readonly RunFact[],
  by: ReadyBy,
  timezone: string,
  window: { readonly from: number; readonly now: number },
): readonly DueDay[] {
  const first = runs.reduce((least, { started }) => Math.min(least, started), Number.POSITIVE_INFINITY);
  // A day is due a little more than so many days after it began, whatever its clocks do.
  const earliest = Math.max(first, window.from - (by.days + 2) * DAY_MS);
  if (earliest > window.now) return [];
  const good = runs.filter(({ succeeded }) => succeeded);
  const { dayAt, instantOf } = clockOf(timezone);
  const days: DueDay[] = [];
  for (let day = dayAt(earliest); ; day = dayAfter(day, 1)) {
    const due = instantOf(dayAfter(day, by.days), by.minutes);
    if (due > window.now) return days;
    if (due < window.from) continue;
    const end = instantOf(dayAfter(day, 1), 0);
    const ends = good.flatMap(({ started, finished }) => (started >= end ? [finished] : []));
    days.push({ day, due, ready: ends.length === 0 ? null : ends.reduce((a, b) => Math.min(a, b)) });
  }
}

function dayAfter(day: string, days: number): string {
  return dayOf(Date.parse(`${day}T00:00Z`) + days * DAY_MS);
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/** What clocks of a zone show. */
type Clock = {
  readonly dayAt: (at: number) => string;
  /** The instant at which they show a time of a day: the first of two, and where they skip it, as long after the hour before. */
  readonly instantOf: (day: string, minutes: number) => number;
};

/** With one format for all that is asked: to make one takes longer than to ask it. */
function clockOf(timezone: string): Clock {
  const offsetAt = offsetsOf(timezone);
  return {
    dayAt: (at) => dayOf(at + offsetAt(at)),
    instantOf(day, minutes) {
      const shown = Date.parse(`${day}T00:00Z`) + minutes * MINUTE_MS;
      const before = shown - offsetAt(shown - DAY_MS);
      const after = shown - offsetAt(shown + DAY_MS);
      const right = [before, after].filter((at) => at + offsetAt(at) === shown);
      return right.length === 0 ? before : Math.min(...right);
    },
  };
}

/** How far clocks of a zone are ahead of UTC at an instant, in ms. */
function offsetsOf(timezone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
  };
}
