import { z } from 'zod';
import type { Session } from '../ports.ts';
import {
  countRetailVersions,
  type RetailWords,
  renderCustomersCsv,
  renderProductsCsv,
  renderTransactionsCsv,
} from '../sql/generate-retail.ts';
import { chooseRetailWords } from './retail-words.ts';
import {
  fileIn,
  type GeneratedFile,
  type PlannedFile,
  parseOptions,
  seedOption,
  share,
  whole,
  writeFiles,
} from './sample.ts';

const RetailOptionsSchema = z
  .object({
    out: z.string().min(1),
    transactions: whole(1, 1_000_000_000).default(20_000),
    customers: whole(1, 100_000_000).default(500),
    products: whole(1, 100_000_000).default(100),
    files: whole(1, 99_999).optional(),
    hotShare: share().default(0.05),
    seed: seedOption(),
  })
  .refine(({ files, transactions }) => files === undefined || files <= transactions, {
    path: ['files'],
    message: 'at most one file per transaction',
  })
  .transform((options) => ({ ...options, files: options.files ?? Math.min(4, options.transactions) }));

export type RetailOptions = Readonly<z.infer<typeof RetailOptionsSchema>>;

/**
 * Parses the arguments of the retail sample; numbers may come as text, what is left out takes its default
 * (20,000 transactions, 500 customers, 100 products, 4 files, hot share 0.05, seed 42).
 * Throws InvalidInput with every problem at once.
 */
export function parseRetailOptions(input: unknown): RetailOptions {
  return parseOptions('retail', RetailOptionsSchema, input);
}

/**
 * Writes a star schema as CSV: `<out>/customers/customers.csv`, `<out>/products/products.csv` and
 * `<out>/transactions/transactions-00001.csv` onwards, transactions split into `files` ranges of time.
 * Every tenth customer and product has two versions, told apart by `updated_at`. Customer 1 is the hot customer: it makes `hotShare` of the transactions. About 0.1 % of the transactions name a
 * customer or a product that is in no file. Equal options give equal bytes, whatever the session's threads.
 * Throws InvalidInput when `<out>/transactions` holds transaction files this call would not replace.
 */
export async function generateRetail(options: RetailOptions, session: Session): Promise<readonly GeneratedFile[]> {
  return writeFiles(planFiles(options, chooseRetailWords(options.seed)), /^transactions-\d+\.csv$/, session);
}

function planFiles(options: RetailOptions, words: RetailWords): readonly PlannedFile[] {
  const { seed, customers, products } = options;
  const customersPath = fileIn(options.out, 'customers', 'customers.csv');
  const productsPath = fileIn(options.out, 'products', 'products.csv');
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
  const path = fileIn(options.out, 'transactions', `transactions-${String(at + 1).padStart(5, '0')}.csv`);
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
