import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Session } from '../ports.ts';
import { renderSalesCustomers, renderSalesTransactions, SALES_START, type Scattered } from '../sql/generate-sales.ts';
import {
  fileIn,
  type GeneratedFile,
  type PlannedFile,
  parseOptions,
  refuseOthers,
  seedOption,
  share,
  whole,
  writeFiles,
} from './sample.ts';

const DAY_MS = 86_400_000;
/** Shares are exact to a billionth, so that 0.29 of 100 rows are 29, not the 28 of floating point. */
const PARTS = 1_000_000_000n;

const SalesOptionsSchema = z
  .object({
    out: z.string().min(1),
    customers: whole(2, 100_000_000).default(1_000),
    transactions: whole(1, 1_000_000_000).default(28_000),
    days: whole(1, 3_650).default(14),
    filesPerDay: whole(1, 99_999).default(2),
    hotShare: share().default(0.2),
    nullAmounts: share().default(0),
    unknownCustomers: share().default(0),
    late: share().default(0),
    format: z.enum(['parquet', 'csv']).default('parquet'),
    seed: seedOption(),
  })
  .superRefine(({ transactions, days, filesPerDay, hotShare, unknownCustomers }, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const rows = Math.floor(transactions / days);
    if (rows === 0) wrong('transactions', 'at least one transaction a day');
    else if (filesPerDay > rows) wrong('filesPerDay', `at most one file per transaction of a day, ${rows}`);
    if (hotShare <= 1 && hotShare + unknownCustomers > 1)
      wrong('unknownCustomers', 'with the hot share at most 1 together');
  });

export type SalesOptions = Readonly<z.infer<typeof SalesOptionsSchema>>;

/**
 * 1,000 customers, 28,000 transactions, 14 days of 2 files, hot share 0.2, nothing missing, unknown or late, Parquet and seed 42,
 * where left out. Throws InvalidInput with every problem at once.
 */
export function parseSalesOptions(input: unknown): SalesOptions {
  return parseOptions('sales', SalesOptionsSchema, input);
}

/**
 * Writes `<out>/customers/customers.parquet` and `<out>/transactions/day=<day>/part-<n>.parquet` (or `.csv`). A day has
 * floor(transactions / days) rows, and of these each share has its floor: of customer 0 (`hotShare`, from noon on), of ids that no customer has,
 * without amount, and `late`, whose event_ts is on the day before the folder's. The last day of the sample is the latest on which a
 * customer has signed up. Equal options give equal bytes, whatever the session's threads.
 * Throws InvalidInput when a folder holds files or days of another sample.
 */
export async function generateSales(options: SalesOptions, session: Session): Promise<readonly GeneratedFile[]> {
  const planned = planFiles(options);
  const days = new Set(planned.map(({ path }) => basename(dirname(path))));
  await refuseOthers(join(options.out, 'transactions'), days, /^day=\d{4}-\d\d-\d\d$/);
  return writeFiles(planned, /^(customers|part-\d+)\.(parquet|csv)$/, session);
}

function planFiles(options: SalesOptions): readonly PlannedFile[] {
  const { out, customers, days, seed } = options;
  const path = fileIn(out, 'customers', 'customers.parquet');
  const statement = renderSalesCustomers(path, seed, customers, dayOf(days - 1));
  return [
    { table: 'customers', path, rows: customers, statement },
    ...Array.from({ length: days }, (_, day) => planDay(options, dayOf(day))).flat(),
  ];
}

function planDay(options: SalesOptions, day: string): readonly PlannedFile[] {
  const { out, transactions, days, filesPerDay, format, seed, customers } = options;
  const rows = Math.floor(transactions / days);
  const scattered = (part: number, which: number): Scattered => ({
    ...scatter(rows, which),
    offset: (seed + which) % rows,
    count: countOf(rows, part),
  });
  const parts = {
    hot: scattered(options.hotShare, 0),
    unknown: countOf(rows, options.unknownCustomers),
    noAmount: scattered(options.nullAmounts, 1),
    late: scattered(options.late, 2),
  };
  return Array.from({ length: filesPerDay }, (_, at) => {
    const [first, end] = [at, at + 1].map((edge) => Math.floor((rows * edge) / filesPerDay)) as [number, number];
    const path = fileIn(out, join('transactions', `day=${day}`), `part-${String(at).padStart(5, '0')}.${format}`);
    const statement = renderSalesTransactions({ path, format, seed, day, rows, first, end, customers, ...parts });
    return { table: 'transactions', path, rows: end - first, statement };
  });
}

const dayOf = (day: number): string => new Date(SALES_START + day * DAY_MS).toISOString().slice(0, 10);

const countOf = (rows: number, part: number): number =>
  Number((BigInt(rows) * BigInt(Math.round(part * Number(PARTS)))) / PARTS);

/** Parts of the golden ratio and its relatives: neighbours come far from each other, and one choice says little of another. */
const RATIOS = [0.618_033_988_7, 0.754_877_666_2, 0.819_172_513_4];

/** A factor that has no divisor in common with the rows: multiplied by it, each row comes to a place of its own. */
function scatter(rows: number, which: number): { readonly factor: number } {
  let factor = Math.max(1, Math.round(rows * (RATIOS[which] ?? 1)));
  while (divisor(factor, rows) !== 1) factor += 1;
  return { factor };
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
