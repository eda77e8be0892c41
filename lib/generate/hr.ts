import { z } from 'zod';
import type { Session, Statement } from '../ports.ts';
import {
  HR_PARTITIONS,
  HR_REPEATED,
  type HrWords,
  renderCalendar,
  renderEmployees,
  renderLeave,
  renderMarkedWords,
  renderMessages,
  renderQuotas,
  renderTimeframes,
  renderVocabulary,
} from '../sql/generate-hr.ts';
import { chooseHrWords } from './hr-words.ts';
import { fileIn, type GeneratedFile, type PlannedFile, parseOptions, seedOption, whole, writeFiles } from './sample.ts';

/** Records of one file of messages, as a consumer would cut them. */
const RECORDS = 10_000;

const years = z
  .union([z.number().transform(String), z.string()])
  .refine((text) => /^(20\d\d)(,20\d\d)*$/.test(text), "years, such as '2023,2024'")
  .transform((text) => [...new Set(text.split(',').map(Number))].sort());

const HrOptionsSchema = z.object({
  out: z.string().min(1),
  employees: whole(1, 10_000_000).default(1_000),
  years: years.default([2023, 2024]),
  messages: whole(1, 100_000_000).default(5_000),
  seed: seedOption(),
});

export type HrOptions = Readonly<z.infer<typeof HrOptionsSchema>>;

/** 1,000 employees, the years 2023 and 2024, 5,000 messages and seed 42, where left out. Throws InvalidInput with every problem at once. */
export function parseHrOptions(input: unknown): HrOptions {
  return parseOptions('hr', HrOptionsSchema, input);
}

/**
 * Writes what the pipeline hr reads, each source in a folder: employees and their history, quotas and holidays by year, leave by
 * month, messages as records of a topic, the words that are marked and those that there are. `rows` of leave and timeframes are
 * counted from what was written. Equal options give equal bytes. Throws InvalidInput when a folder holds files of another sample.
 */
export async function generateHr(options: HrOptions, session: Session): Promise<readonly GeneratedFile[]> {
  return writeFiles(planFiles(options, chooseHrWords(options.seed)), /\.(csv|jsonl)$/, session);
}

function planFiles(options: HrOptions, words: HrWords): readonly PlannedFile[] {
  const { out, employees, seed } = options;
  const file = (
    table: string,
    name: string,
    rows: PlannedFile['rows'],
    render: (drawn: { path: string; seed: number; employees: number }) => Statement,
  ): PlannedFile => {
    const path = fileIn(out, table, name);
    return { table, path, rows, statement: render({ path, seed, employees }) };
  };
  const repeated = (most: number): number => employees + Math.min(most, employees);
  const months = options.years.flatMap((year) =>
    Array.from({ length: 12 }, (_, month) => `${year}-${String(month + 1).padStart(2, '0')}`),
  );
  return [
    file('employee_data', 'employee_data.csv', repeated(HR_REPEATED.people), (drawn) => renderEmployees(drawn, words)),
    file('employee_timeframe', 'employee_timeframe.csv', null, (drawn) => renderTimeframes(drawn, words)),
    ...options.years.flatMap((year) => [
      file('employee_leave_quota', `quota-${year}.csv`, repeated(HR_REPEATED.quotas), (drawn) =>
        renderQuotas({ ...drawn, year }),
      ),
      file('employee_leave_calendar', `calendar-${year}.csv`, words.holidays.length, ({ path }) =>
        renderCalendar(path, year, words),
      ),
    ]),
    ...months.map((month) =>
      file('employee_leave_data', `leave-${month}.csv`, null, (drawn) => renderLeave({ ...drawn, month })),
    ),
    file('vocabulary', 'vocabulary.jsonl', 1, ({ path }) => renderVocabulary(path, seed)),
    file('marked_words', 'marked_words.jsonl', 1, ({ path }) => renderMarkedWords(path, seed)),
    ...messageFiles(options),
  ];
}

function messageFiles({ out, employees, seed, messages, years }: HrOptions): readonly PlannedFile[] {
  const [firstYear = 0] = years;
  const time = { start: `${firstYear}-01-01`, days: 365 * ((years.at(-1) ?? firstYear) - firstYear + 1) };
  return Array.from({ length: HR_PARTITIONS }, (_, partition) => {
    const records = Math.ceil((messages - partition) / HR_PARTITIONS);
    return Array.from({ length: Math.ceil(records / RECORDS) }, (_unused, nth): PlannedFile => {
      const [first, last] = [nth * RECORDS, Math.min(records, (nth + 1) * RECORDS) - 1];
      const path = fileIn(out, 'messages', `employee_messages-${partition}-${first}-${last}.jsonl`);
      const statement = renderMessages({
        path,
        seed,
        employees,
        partition,
        first,
        last,
        total: messages,
        ...time,
      });
      return { table: 'messages', path, rows: last - first + 1, statement };
    });
  }).flat();
}
