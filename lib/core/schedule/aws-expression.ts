type CronField = {
  readonly min: number;
  readonly max: number;
  /** Names that stand for `min`, `min + 1`, ... */
  readonly names?: readonly string[];
  /** What only this field may be besides; upper case. */
  readonly special?: RegExp;
};

export const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Minutes, hours, day of month, month, day of week, year. */
const CRON: readonly CronField[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31, special: /^(L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { min: 1, max: 12, names: MONTHS },
  { min: 1, max: 7, names: DAYS, special: /^(L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$/ },
  { min: 1970, max: 2199 },
];

export const SCHEDULE_EXPECTED =
  "'rate(1 day)' (minute, hour or day; plural above 1) or 'cron(0 6 * * ? *)' (six fields, one of the two days '?')";

/**
 * Whether EventBridge Scheduler takes a rate or cron expression, so that it is refused before anything is deployed.
 * Source: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function isSchedule(text: string): boolean {
  const [, count, , plural] = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) > 0 && (Number(count) > 1 ? plural === 's' : plural === '');
  const fields = /^cron\(([^()]+)\)$/.exec(text)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== CRON.length) return false;
  // Of day of month and day of week one has to be left open.
  const open = [fields[2], fields[4]].filter((field) => field === '?');
  return open.length === 1 && CRON.every((field, at) => isOpenDay(fields, at) || isList(field, fields[at] ?? ''));
}

function isOpenDay(fields: readonly string[], at: number): boolean {
  return (at === 2 || at === 4) && fields[at] === '?';
}

/** `1,5-10,0/15`: values, ranges and steps with commas between them. */
function isList(field: CronField, text: string): boolean {
  return text
    .toUpperCase()
    .split(',')
    .every((part) => field.special?.test(part) || isRange(field, part));
}

function isRange(field: CronField, text: string): boolean {
  const [span = '', step, ...more] = text.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (span === '*') return true;
  const ends = span.split('-').map((end) => numberOf(field, end));
  return ends.length <= 2 && ends.every((end) => end !== undefined);
}

function numberOf({ min, max, names = [] }: CronField, text: string): number | undefined {
  const named = names.indexOf(text);
  if (named >= 0) return min + named;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
