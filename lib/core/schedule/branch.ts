import { InvalidInput } from '../errors.ts';
import { dayIn, isDay, startOfDay } from '../run-date.ts';
import { didYouMean } from '../suggest.ts';
import { type CronFields, clockOf, parseCron } from './cron.ts';

/** Which periods a run of a branch does beside the one that is due: all that were missed, none but the last, or not even that. */
export const CATCHUPS = ['all', 'last', 'none'] as const;
export type Catchup = (typeof CATCHUPS)[number];

/** A part of a pipeline with a schedule of its own. */
export type Branch = {
  readonly name: string;
  /** As it was written, in either dialect. */
  readonly cron: string;
  /** In which it is read. */
  readonly zone: string;
  readonly catchup: Catchup;
};

/** By what a period is named: the year, month or day in which the schedule fires once, or the minute, in UTC. */
export type PeriodGrain = 'year' | 'month' | 'day' | 'minute';

/** The branch of that name. Throws InvalidInput where there is none. */
export function branchOf(
  { name, schedules = [] }: { readonly name: string; readonly schedules?: readonly Branch[] },
  wanted: string,
): Branch {
  const found = schedules.find((one) => one.name === wanted);
  if (found !== undefined) return found;
  const names = schedules.map((one) => one.name);
  const expected = names.length === 0 ? 'none: it has no schedules' : `one of ${names.join(', ')}`;
  throw new InvalidInput(
    `no branch ${JSON.stringify(wanted)} in ${name}: expected ${expected}${didYouMean(wanted, names)}`,
  );
}

/** Throws RangeError for an expression that the compiler has not let through. */
function fieldsOf({ cron }: Branch): CronFields {
  const fields = parseCron(cron);
  if (fields === undefined) throw new RangeError(`not a cron expression: ${JSON.stringify(cron)}`);
  return fields;
}

/** The first firing after a moment; undefined where there is none any more. */
export function firstAfter(branch: Branch, at: Date): Date | undefined {
  return clockOf(fieldsOf(branch), branch.zone).nextRun(at) ?? undefined;
}

/** The last firings up to a moment, itself included, the oldest first. */
export function lastUpTo(branch: Branch, at: Date, most = 1): readonly Date[] {
  // The library's own answer ends before the moment.
  const until = new Date(at.getTime() + 1);
  return clockOf(fieldsOf(branch), branch.zone).previousRuns(most, until).reverse();
}

const ONE_DAY_OF_MONTH = /^(\d+W?|LW?)$/i;
const ONE_WEEKDAY_OF_MONTH = /^\w+(#\d|L)$/i;

export function grainOf(branch: Branch): PeriodGrain {
  const { minute, hour, day, month, weekday } = fieldsOf(branch);
  if (![minute, hour].every((one) => /^\d+$/.test(one))) return 'minute';
  const byDay = ONE_DAY_OF_MONTH.test(day) && isOpen(weekday);
  const byWeekday = isOpen(day) && ONE_WEEKDAY_OF_MONTH.test(weekday);
  if (!byDay && !byWeekday) return 'day';
  return /^\w+$/.test(month) ? 'year' : 'month';
}

function isOpen(field: string): boolean {
  return field === '*' || field === '?';
}

/** The period that begins with a firing: `2024`, `2024-10`, `2024-10-31` or `2024-10-31T05:30Z`. */
export function periodOf(branch: Branch, firing: Date): string {
  const grain = grainOf(branch);
  if (grain === 'minute') return `${firing.toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length)}Z`;
  return dayIn(branch.zone, firing).slice(0, LENGTHS[grain]);
}

const LENGTHS = { year: 4, month: 7, day: 10 } as const;

/** When a period begins. Throws InvalidInput for a text that names none of the branch. */
export function firingOf(branch: Branch, period: string): Date {
  const grain = grainOf(branch);
  const from = grain === 'minute' ? minuteOf(period) : dayOf(branch, period.padEnd(10, '-01'), period, LENGTHS[grain]);
  const firing = from && firstAfter(branch, new Date(from.getTime() - 1));
  if (firing !== undefined && periodOf(branch, firing) === period) return firing;
  const shape = { year: 'YYYY', month: 'YYYY-MM', day: 'YYYY-MM-DD', minute: 'YYYY-MM-DDTHH:MMZ' }[grain];
  throw new InvalidInput(
    `${JSON.stringify(period)} is no period of the branch ${branch.name}: expected ${shape}, in which ${branch.cron} fires (${branch.zone})`,
  );
}

function dayOf({ zone }: Branch, day: string, period: string, length: number): Date | undefined {
  return period.length === length && isDay(day) ? startOfDay(zone, day) : undefined;
}

function minuteOf(period: string): Date | undefined {
  const at = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(period) ? period : Number.NaN);
  return Number.isNaN(at.getTime()) ? undefined : at;
}
