import { MONTHS } from './aws-expression.ts';
import type { CronFields } from './cron.ts';

const WEEKDAYS: readonly string[] = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/**
 * What EventBridge Scheduler is told: the expression as it is, or the six fields of five. Several where those name a day of the month and one of
 * the week, or a list with an `L`, `W` or `#`, since any is enough in the standard, and AWS takes one of them at a time; a period that several
 * fire for is done once.
 * Source: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function awsExpressions(fields: CronFields): readonly string[] {
  const { minute, hour, day, month, weekday, year, dialect } = fields;
  const expression = (dayOfMonth: string, dayOfWeek: string): string => {
    const all =
      dialect === 'aws' ? fields : { ...fields, minute: from(minute, 0), hour: from(hour, 0), month: from(month, 1) };
    return `cron(${[all.minute, all.hour, dayOfMonth, all.month, dayOfWeek, year].join(' ')})`;
  };
  if (dialect === 'aws') return [expression(day, weekday)];
  const ofMonth = apart(from(day, 1)).map((one) => expression(one, '?'));
  if (weekday === '*') return ofMonth;
  const ofWeek = apart(weekdays(weekday)).map((one) => expression('?', one));
  return day === '*' ? ofWeek : [...ofMonth, ...ofWeek];
}

/** A day that is found in each month, such as its last, stands alone there. */
function apart(field: string): readonly string[] {
  const parts = field.split(',');
  const plain = parts.filter((part) => !FOUND.test(part));
  return [...(plain.length === 0 ? [] : [plain.join(',')]), ...parts.filter((part) => FOUND.test(part))];
}

const FOUND = /#|L|\dW$/i;

/** Steps begin at a value there: from the first one where there is none, and to the end, which a range need not come to. */
function from(field: string, first: number): string {
  return field
    .split(',')
    .map((part) => {
      const [span = '', step] = part.split('/');
      if (step === undefined) return part;
      if (span === '*') return `${first}/${step}`;
      return steps(span, Number(step)).join(',');
    })
    .join(',');
}

function steps(span: string, step: number): readonly number[] {
  const [least = 0, most = least] = span.split('-').map((end) => MONTHS.indexOf(end.toUpperCase()) + 1 || Number(end));
  return Array.from({ length: Math.floor((most - least) / step) + 1 }, (_, i) => least + i * step);
}

/** By their names, whose numbers differ. */
function weekdays(field: string): string {
  const parts = field.split(',').flatMap((part) => {
    const [, one = '', suffix = ''] = /^(\w+?)(#\d|L)$/i.exec(part) ?? [];
    if (suffix !== '') {
      const at = numberOf(one);
      return suffix.startsWith('#') ? [`${WEEKDAYS[at]}${suffix}`] : [`${at + 1}L`];
    }
    const [span = '', step = '1'] = part.split('/');
    const [least = '0', most] = span === '*' ? ['0', '6'] : span.split('-');
    const last = most === undefined ? numberOf(least) : numberOf(most, 7);
    return steps(`${numberOf(least)}-${last}`, Number(step)).map((n) => `${WEEKDAYS[n % 7]}`);
  });
  return [...new Set(parts)].join(',');
}

/** Of a name or a number from 0 to 7; `sunday`: what Sunday is at the end of a range. */
function numberOf(day: string, sunday = 0): number {
  const named = WEEKDAYS.indexOf(day.toUpperCase());
  const number = named >= 0 ? named : Number(day) % 7;
  return number === 0 && day !== '0' ? sunday : number;
}
