import { Cron } from 'croner';
import { isSchedule } from './aws-expression.ts';

/** A cron expression, field by field as it was written; `year` is `*` in the five fields of the standard. */
export type CronFields = {
  readonly minute: string;
  readonly hour: string;
  readonly day: string;
  readonly month: string;
  readonly weekday: string;
  readonly year: string;
  /** `aws`: six fields, in which Sunday is 1; `standard`: five, in which it is 0 and 7. */
  readonly dialect: 'aws' | 'standard';
};

export const CRON_EXPECTED =
  "five fields such as '0 7 * * *', or AWS's six such as 'cron(0 7 1 * ? *)', that fire at some time";

/** No field of the standard has a `?`, and names of expressions, such as `@daily`, are none of its fields. */
const STANDARD = /^[\dA-Z*,/LW#-]+$/i;

/** What an expression says; undefined for one that is none, or never fires. */
export function parseCron(text: string): CronFields | undefined {
  const words = (/^cron\((.*)\)$/s.exec(text.trim())?.[1] ?? text).trim().split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = '', year = '*'] = words;
  const dialect = words.length === 6 ? 'aws' : 'standard';
  const fields: CronFields = { minute, hour, day, month, weekday, year, dialect };
  if (words.length !== 5 && words.length !== 6) return undefined;
  const shaped = dialect === 'aws' ? isSchedule(`cron(${words.join(' ')})`) : words.every((one) => STANDARD.test(one));
  return shaped && fires(fields) ? fields : undefined;
}

/** Before anything is scheduled; the years of AWS begin here. */
const LONG_AGO = new Date('1970-01-01T00:00:00Z');

function fires(fields: CronFields): boolean {
  try {
    return clockOf(fields, 'UTC').nextRun(LONG_AGO) !== null;
  } catch {
    // The library says of what it does not take that it is none, by an error of no class of its own.
    return false;
  }
}

/**
 * The expression as the library reads it. A time that a zone skips is the first one after it, and a time that comes twice is the first
 * of both, where minute and hour are single values; those that repeat within a day fire at the times that there are.
 */
export function clockOf({ dialect, ...fields }: CronFields, zone: string): Cron {
  const { minute, hour, day, month, weekday, year } = fields;
  if (dialect === 'standard') {
    return new Cron([minute, hour, day, month, weekday].join(' '), { timezone: zone, paused: true, mode: '5-part' });
  }
  // Alone it is the last day of the week.
  const last = weekday.toUpperCase() === 'L' ? '7' : weekday;
  return new Cron(['0', minute, hour, day, month, last, year].join(' '), {
    timezone: zone,
    paused: true,
    mode: '7-part',
    alternativeWeekdays: true,
    sloppyRanges: true,
  });
}
