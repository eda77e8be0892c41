import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Row } from '../../lib/ports.ts';

/**
 * The retail gold tables computed a second time from the CSV files, in whole cents and without SQL, so that a mistake in
 * a model's SQL cannot be made here in the same way.
 */
type Sale = {
  readonly yyyymm: number;
  readonly customerId: string;
  readonly productId: string;
  readonly region: string | null;
  readonly category: string | null;
  readonly quantity: number;
  readonly cents: bigint | null;
};
type Version = { readonly updated_at: string };
type Customer = Version & { readonly customer_id: string; readonly customer_name: string; readonly region: string };
type Product = Version & {
  readonly product_id: string;
  readonly product_name: string;
  readonly category: string;
  readonly base_price: string;
};
type Transaction = Record<'txn_ts' | 'customer_id' | 'product_id' | 'quantity', string>;
/** The dimensions as they are after the last change. */
export type Oracle = {
  readonly sales: readonly Sale[];
  readonly customers: ReadonlyMap<string, Customer>;
  readonly products: ReadonlyMap<string, Product>;
};

/** Reads a generated sample, without the transactions of the months left out. */
export function readSample(folder: string, leaveOut: readonly number[]): Oracle {
  const read = (table: string) =>
    readdirSync(join(folder, table)).flatMap((file) =>
      parse(readFileSync(join(folder, table, file)), { columns: true }),
    );
  const customers = Map.groupBy(read('customers') as Customer[], (each) => each.customer_id);
  const products = Map.groupBy(read('products') as Product[], (each) => each.product_id);
  const sales = (read('transactions') as Transaction[]).map((row) => {
    const product = versionAt(products.get(row.product_id), row.txn_ts);
    return {
      yyyymm: Number(row.txn_ts.slice(0, 4) + row.txn_ts.slice(5, 7)),
      customerId: row.customer_id,
      productId: row.product_id,
      region: versionAt(customers.get(row.customer_id), row.txn_ts)?.region ?? null,
      category: product?.category ?? null,
      quantity: Number(row.quantity),
      cents: product === undefined ? null : BigInt(product.base_price.replace('.', '')) * BigInt(row.quantity),
    };
  });
  return {
    sales: sales.filter((sale) => !leaveOut.includes(sale.yyyymm)),
    customers: latest(customers),
    products: latest(products),
  };
}

/** Times are of one form, so their order is that of the text. */
function versionAt<V extends Version>(versions: readonly V[] | undefined, at: string): V | undefined {
  return versions
    ?.filter((version) => version.updated_at <= at)
    .sort(byTime)
    .at(-1);
}

function latest<V extends Version>(versions: ReadonlyMap<string, readonly V[]>): ReadonlyMap<string, V> {
  return new Map(
    [...versions].flatMap(([id, all]) =>
      all
        .toSorted(byTime)
        .slice(-1)
        .map((last) => [id, last] as const),
    ),
  );
}

function byTime(a: Version, b: Version): number {
  return a.updated_at < b.updated_at ? -1 : 1;
}

export function monthlyRevenue({ sales }: Oracle): readonly Row[] {
  return groups(sales, (sale) => [sale.yyyymm, sale.region, sale.category]).map(
    ([[yyyymm, region, category], rows]) => ({
      yyyymm: yyyymm ?? null,
      region: region ?? null,
      category: category ?? null,
      revenue: money(total(rows)),
      units: units(rows),
    }),
  );
}

export function revenueTrend({ sales }: Oracle): readonly Row[] {
  const byMonth = new Map(groups(sales, (sale) => [sale.yyyymm]).map(([[month], rows]) => [month, total(rows)]));
  const months = [...byMonth.keys()].map(Number).sort((a, b) => a - b);
  const [first = 0, last = 0] = [months.at(0), months.at(-1)];
  const revenues: bigint[] = [];
  const out: Row[] = [];
  for (let month = first; month <= last; month += month % 100 === 12 ? 89 : 1) {
    const revenue = byMonth.get(month) ?? 0n;
    const previous = revenues.at(-1);
    revenues.push(revenue);
    const recent = revenues.slice(-3);
    const count = BigInt(recent.length);
    const mean = (2n * recent.reduce((sum, each) => sum + each, 0n) + count) / (2n * count);
    const growth = previous ? Number((Number(revenue - previous) / Number(previous)) * 100).toFixed(2) : null;
    const mom_growth_pct = growth === null ? null : Number(growth);
    out.push({ yyyymm: month, revenue: money(revenue), revenue_ma3: money(mean), mom_growth_pct });
  }
  return out;
}

export function topCustomers({ sales, customers }: Oracle): readonly Row[] {
  const byCustomer = groups(sales, (sale) => [sale.region, sale.customerId]).map(([[region], rows]) => ({
    region: region ?? null,
    customerId: rows[0]?.customerId ?? '',
    cents: total(rows),
  }));
  return byCustomer.flatMap(({ region, customerId, cents }) => {
    const higher = byCustomer.filter((other) => other.region === region && other.cents > cents);
    const rank = 1 + new Set(higher.map((other) => other.cents)).size;
    const customer_name = customers.get(customerId)?.customer_name ?? null;
    return rank > 10 ? [] : [{ region, rank, customer_id: Number(customerId), customer_name, revenue: money(cents) }];
  });
}

export function topProducts({ sales, products }: Oracle): readonly Row[] {
  const known = sales.filter((sale) => sale.cents !== null);
  return groups(known, (sale) => [sale.productId])
    .map(([[id], rows]) => ({ id: String(id), cents: total(rows), units: units(rows) }))
    .sort((a, b) => (a.cents === b.cents ? Number(a.id) - Number(b.id) : a.cents < b.cents ? 1 : -1))
    .slice(0, 50)
    .map(({ id, cents, units: sold }, at) => ({
      rank: at + 1,
      product_id: Number(id),
      product_name: products.get(id)?.product_name ?? null,
      category: products.get(id)?.category ?? null,
      revenue: money(cents),
      units: sold,
    }));
}

export function categoryShare({ sales }: Oracle): readonly Row[] {
  const all = Number(total(sales));
  return groups(sales, (sale) => [sale.category]).map(([[category], rows]) => ({
    category: category ?? null,
    revenue: money(total(rows)),
    share_pct: Number(((Number(total(rows)) / all) * 100).toFixed(2)),
  }));
}

export function regionKpis({ sales }: Oracle): readonly Row[] {
  return groups(sales, (sale) => [sale.region]).map(([[region], rows]) => {
    const priced = BigInt(rows.filter((sale) => sale.cents !== null).length);
    return {
      region: region ?? null,
      orders: rows.length,
      customers: new Set(rows.map((sale) => sale.customerId)).size,
      units: units(rows),
      revenue: money(total(rows)),
      avg_order_value: priced === 0n ? null : money((2n * total(rows) + priced) / (2n * priced)),
    };
  });
}

type Key = readonly (string | number | null)[];

function groups(sales: readonly Sale[], keyOf: (sale: Sale) => Key): readonly (readonly [Key, readonly Sale[]])[] {
  const byKey = Map.groupBy(sales, (sale) => JSON.stringify(keyOf(sale)));
  return [...byKey].map(([key, rows]) => [JSON.parse(key) as Key, rows] as const);
}

function total(rows: readonly Sale[]): bigint {
  return rows.reduce((sum, sale) => sum + (sale.cents ?? 0n), 0n);
}

function units(rows: readonly Sale[]): number {
  return rows.reduce((sum, sale) => sum + sale.quantity, 0);
}

function money(cents: bigint): string {
  const text = String(cents).padStart(3, '0');
  return `${text.slice(0, -2)}.${text.slice(-2)}`;
}
