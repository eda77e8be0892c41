import type { ReadyBy } from '../core/ready-by.ts';
import { dayIn, startOfDay } from '../core/run-date.ts';
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
  const days: DueDay[] = [];
  for (let day = dayIn(timezone, new Date(earliest)); ; day = dayAfter(day, 1)) {
    const due = instantOf(timezone, dayAfter(day, by.days), by.minutes);
    if (due > window.now) return days;
    if (due < window.from) continue;
    const end = startOfDay(timezone, dayAfter(day, 1)).getTime();
    const ends = good.flatMap(({ started, finished }) => (started >= end ? [finished] : []));
    days.push({ day, due, ready: ends.length === 0 ? null : ends.reduce((a, b) => Math.min(a, b)) });
  }
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00Z`) + days * DAY_MS).toISOString().slice(0, day.length);
}

/** The instant at which clocks of a zone show a time of a day; where they skip it, as long after midnight. */
function instantOf(timezone: string, day: string, minutes: number): number {
  const start = startOfDay(timezone, day).getTime();
  const at = start + minutes * MINUTE_MS;
  const shift = offsetOf(timezone, at) - offsetOf(timezone, start);
  const shifted = at - shift;
  return offsetOf(timezone, shifted) === offsetOf(timezone, at) ? shifted : at;
}

/** How far clocks of a zone are ahead of UTC, in ms. */
function offsetOf(timezone: string, at: number): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const part = Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}
