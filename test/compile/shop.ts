import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { compilePipeline } from '../../lib/compile/compile.ts';
import { InvalidInput, type Problem } from '../../lib/core/errors.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { append, csv, definePipeline, month } from '../../lib/define/index.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';

export const FILE = 'pipelines/shop/pipeline.ts';

/** A small pipeline without a mistake, for tests to break in one place. */
export const SHOP = definePipeline({
  name: 'shop',
  sources: {
    orders: csv({
      columns: {
        'Order Id': { type: 'bigint', required: true, as: 'order_id' },
        customer_id: 'bigint',
        ordered_at: 'timestamp',
        amount: 'decimal(12,2)',
        note: 'string',
        tags: 'list<string>',
      },
    }),
    customers: csv({ columns: { customer_id: 'bigint', name: 'string', region: 'string' } }),
  },
  silver: {
    customers: { from: 'customers' },
    orders: { from: 'orders', sql: 'silver/orders.sql', mode: append(), partitionBy: [month('ordered_at')] },
  },
  gold: { revenue: { sql: 'gold/revenue.sql' } },
});

export const SQL: Readonly<Record<string, string>> = {
  'silver/orders.sql':
    'select o.*, c.region\nfrom batch.orders o\nleft join silver.customers c on c.customer_id = o.customer_id',
  'gold/revenue.sql': 'select region, sum(amount) as revenue\nfrom silver.orders\ngroup by region',
};

export function openSession(): Promise<Session> {
  return createDuckDbEngine().open({ memoryBytes: 300_000_000, threads: 1, scratch: tmpdir() });
}

export type Given = {
  readonly definition?: unknown;
  readonly sql?: Readonly<Record<string, string>>;
  readonly folder?: string;
};

/** Compiles the shop, or what is given in its place. */
export function compileShop(session: Session, given: Given = {}): Promise<PipelineSpec> {
  const sql = { ...SQL, ...given.sql };
  return compilePipeline({
    definition: given.definition ?? SHOP,
    folder: given.folder ?? 'shop',
    file: FILE,
    session,
    empty: fileURLToPath(new URL('../support/empty', import.meta.url)),
    files: { read: async (path) => (Object.hasOwn(sql, path) ? sql[path] : undefined) },
  });
}

/** The problems that compilation reports; none when it succeeds. */
export async function problemsOf(session: Session, given: Given): Promise<readonly Problem[]> {
  try {
    await compileShop(session, given);
    return [];
  } catch (error) {
    if (error instanceof InvalidInput) return error.problems;
    throw error;
  }
}

/** A copy of the shop with the value at a path replaced; `undefined` removes it. */
export function shopWith(path: readonly string[], value: unknown): unknown {
  return replaced(SHOP, path, value);
}

/** A copy of a definition with the value at a path replaced; `undefined` removes it. */
export function replaced(definition: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...inner] = path;
  if (key === undefined) return value;
  const copy: Record<string, unknown> = { ...(definition as Record<string, unknown>) };
  copy[key] = replaced(copy[key], inner, value);
  if (copy[key] === undefined) delete copy[key];
  return copy;
}
