import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';
import type { Session, Statement } from '../ports.ts';
import {
  countRetailVersions,
  type RetailWords,
  renderCustomersCsv,
  renderProductsCsv,
  renderTransactionsCsv,
} from '../sql/generate-retail.ts';
import { chooseRetailWords } from './retail-words.ts';

const numeric = z.union([z.number(), z.string().trim().min(1).transform(Number)]);
const whole = (min: number, max: number) => numeric.pipe(z.number().int().min(min).max(max));

const RetailOptionsSchema = z
  .object({
    out: z.string().min(1),
    transactions: whole(1, 1_000_000_000).default(20_000),
    customers: whole(1, 100_000_000).default(500),
    products: whole(1, 100_000_000).default(100),
    files: whole(1, 99_999).optional(),
    hotShare: numeric.pipe(z.number().min(0).max(1)).default(0.05),
    seed: whole(0, Number.MAX_SAFE_INTEGER).default(42),
  })
  .refine(({ files, transactions }) => files === undefined || files <= transactions, {
    path: ['files'],
    message: 'at most one file per transaction',
  })
  .transform((options) => ({ ...options, files: options.files ?? Math.min(4, options.transactions) }));

export type RetailOptions = Readonly<z.infer<typeof RetailOptionsSchema>>;

export type RetailTable = 'customers' | 'products' | 'transactions';

/** One written CSV file; `rows` without the header, `bytes` as it lies on disk. */
export type GeneratedFile = {
  readonly table: RetailTable;
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
};

/**
 * Parses the arguments of the retail sample; numbers may come as text, what is left out takes its default
 * (20,000 transactions, 500 customers, 100 products, 4 files, hot share 0.05, seed 42).
 * Throws InvalidInput with every problem at once.
 */
export function parseRetailOptions(input: unknown): RetailOptions {
  const parsed = RetailOptionsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(
    'the retail sample cannot be generated',
    parsed.error.issues.map((issue) => ({
      file: 'generate retail',
      place: issue.path.join('.'),
      got: JSON.stringify(valueAt(input, issue.path)) ?? 'nothing',
      expected: issue.message,
    })),
  );
}

/**
 * Writes a star schema as CSV: `<out>/customers/customers.csv`, `<out>/products/products.csv` and
 * `<out>/transactions/transactions-00001.csv` onwards, transactions split into `files` ranges of time.
 * Every tenth customer and product has two versions, told apart by `updated_at`. Customer 1 is the hot customer: it makes `hotShare` of the transactions. About 0.1 % of the transactions name a
 * customer or a product that is in no file. Equal options give equal bytes, whatever the session's threads.
 * Throws InvalidInput when `<out>/transactions` holds transaction files this call would not replace.
 */
export async function generateRetail(options: RetailOptions, session: Session): Promise<readonly GeneratedFile[]> {
  const planned = planFiles(options, chooseRetailWords(options.seed));
  await refuseLeftovers(options, planned);
  const written: GeneratedFile[] = [];
  for (const { table, path, rows, statement } of planned) {
    await mkdir(join(options.out, table), { recursive: true });
    await session.run(statement);
    written.push({ table, path, rows, bytes: (await stat(path)).size });
  }
  return written;
}

type PlannedFile = Omit<GeneratedFile, 'bytes'> & { readonly statement: Statement };

function planFiles(options: RetailOptions, words: RetailWords): readonly PlannedFile[] {
  const { seed, customers, products } = options;
  const customersPath = join(options.out, 'customers', 'customers.csv');
  const productsPath = join(options.out, 'products', 'products.csv');
  return [
    {
      table: 'customers',
      path: customersPath,
      rows: countRetailVersions(customers),
      statement: renderCustomersCsv(customersPath, seed, customers, words),
    },
    {
      table: 'products',
      path: productsPath,
      rows: countRetailVersions(products),
      statement: renderProductsCsv(productsPath, seed, products, words),
    },
    ...Array.from({ length: options.files }, (_, at) => planTransactions(options, at, words.channels)),
  ];
}

function planTransactions(options: RetailOptions, at: number, channels: readonly string[]): PlannedFile {
  const first = Math.floor((options.transactions * at) / options.files) + 1;
  const last = Math.floor((options.transactions * (at + 1)) / options.files);
  const path = join(options.out, 'transactions', `transactions-${String(at + 1).padStart(5, '0')}.csv`);
  const statement = renderTransactionsCsv({
    path,
    seed: options.seed,
    first,
    last,
    total: options.transactions,
    customers: options.customers,
    products: options.products,
    hotPerMillion: Math.round(options.hotShare * 1_000_000),
    channels,
  });
  return { table: 'transactions', path, rows: last - first + 1, statement };
}

/** Files of an earlier, larger sample would be taken for part of this one. */
async function refuseLeftovers(options: RetailOptions, planned: readonly PlannedFile[]): Promise<void> {
  const folder = join(options.out, 'transactions');
  const ours = new Set(planned.map((file) => file.path));
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => /^transactions-\d+\.csv$/.test(name) && !ours.has(join(folder, name)));
  if (left.length === 0) return;
  throw new InvalidInput(
    `${folder} holds ${left.length} transaction files of another sample, such as ${left[0]}; empty it or choose another folder`,
  );
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}
