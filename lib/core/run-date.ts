import { InvalidInput } from './errors.ts';

/** What `run_date()` and `run_time()` are in a run: a day of the pipeline's zone, as YYYY-MM-DD, and an ISO instant. */
export type RunDate = { readonly date: string; readonly time: string };

/** The part of a date by which a table is due. */
export type Grain = 'day' | 'month' | 'year';

const HOUR_MS = 3_600_000;
/** No zone is further from UTC, on either side. */
const FURTHEST_MS = 16 * HOUR_MS;

/** Whether it names a time zone, such as `Europe/Berlin`; an offset names none. */
export function isTimezone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text });
    return true;
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

/** Whether it is a day that there is, as YYYY-MM-DD. */
export function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** The day that an instant is on in a zone. */
export function dayIn(timezone: string, at: Date): string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${(part['year'] ?? '').padStart(4, '0')}-${part['month']}-${part['day']}`;
}

/**
 * The instant with which a day begins in a zone. Where clocks skip midnight it is the one after it; a day that a zone has skipped
 * whole begins with the next.
 */
export function startOfDay(timezone: string, day: string): Date {
  const around = Date.parse(`${day}T00:00Z`);
  let before = around - FURTHEST_MS;
  let on = around + FURTHEST_MS;
  while (on - before > 1) {
    const middle = Math.floor((before + on) / 2);
    if (dayIn(timezone, new Date(middle)) < day) before = middle;
    else on = middle;
  }
  return new Date(on);
}

/**
 * A pipeline as a run knows it that is planned now, or that is asked for a day, which stands for its first instant. Throws
 * InvalidInput for what is no day.
 */
export function withRunDate<Spec extends { readonly timezone?: string }>(
  spec: Spec,
  now: Date,
  day?: string,
): Spec & { readonly runAt: RunDate } {
  const timezone = spec.timezone ?? 'UTC';
  if (day === undefined) return { ...spec, runAt: { date: dayIn(timezone, now), time: now.toISOString() } };
  if (isDay(day)) return { ...spec, runAt: { date: day, time: startOfDay(timezone, day).toISOString() } };
  throw new InvalidInput(`run date: got ${JSON.stringify(day)}; expected ${DAY_EXPECTED}`);
}

export const DAY_EXPECTED = 'a day that there is, as YYYY-MM-DD, such as 2026-01-31';

/** Long before anything that a table has a time for. */
const FIRST_DAY = Date.parse('1000-01-01T00:00Z');

/** The instant with which the day begins that is so many days before. */
export function startOfDayBefore(timezone: string, day: string, days: number): Date {
  const before = new Date(Math.max(FIRST_DAY, Date.parse(`${day}T00:00Z`) - days * 24 * HOUR_MS));
  return startOfDay(timezone, before.toISOString().slice(0, day.length));
}

/** What of a day decides at a grain. */
export function atGrain(day: string, grain: Grain): string {
  switch (grain) {
    case 'day':
      return day;
    case 'month':
      return day.slice(0, 7);
    case 'year':
      return day.slice(0, 4);
  }
}
