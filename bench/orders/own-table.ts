import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableId } from '../../lib/core/tables.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import { fieldIdsOf } from '../../lib/lake/tables/field-ids.ts';
import type { WrittenFile } from '../../lib/ports.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { writeTable } from '../../lib/sql/write.ts';
import { loadTable } from '../../lib/table/read.ts';
import { commitFiles } from '../append-files.ts';
import type { Bench } from '../bench.ts';
import { BENCH_PIPELINES, freshFolder } from '../folders.ts';

export const ORDERS: TableId = { pipeline: 'orders', layer: 'silver', name: 'orders' };
const SILENT = { info: () => undefined, warn: () => undefined };
const HEADER = 'order_id,customer_id,product_id,amount,note';

/** The number of an order, by its place. */
export type Numbering = (place: string) => string;
export const IN_ORDER: Numbering = (place) => place;
/** As hashes are: a file has some of every range. */
export const AT_RANDOM: Numbering = (place) => `CAST(md5_number_lower('order' || ${place}) >> 1 AS BIGINT)`;

export type OrderLake = Awaited<ReturnType<typeof openLocalLake>> & {
  readonly root: string;
  readonly rows: number;
  /** Bytes of the table's files. */
  readonly bytes: number;
};

export type OrderTable = {
  readonly rows: number;
  readonly files: number;
  readonly number: Numbering;
  readonly copies?: number;
};

/** A lake with a table of so many orders in so many files, a file after the other; `copies`: so often, by links to the same bytes. */
export async function makeOrders(
  bench: Bench,
  folder: string,
  { rows, files, number, copies = 1 }: OrderTable,
): Promise<OrderLake> {
  const root = join(await freshFolder(folder), 'lake');
  await landOrders(bench, root, 'first', { from: rows + 10_000_000, to: rows + 10_000_001, number });
  const lake = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  const first = await lake.run({ pipeline: 'orders' });
  if (first.kind !== 'ended') throw new Error(JSON.stringify(first));
  const schema = currentSchema((await loadTable(lake.deps.catalog, ORDERS))?.metadata ?? fail());
  const written: WrittenFile[] = [];
  for (let file = 0; file < files; file += 1) {
    const [from, to] = [file, file + 1].map((at) => Math.floor((rows * at) / files));
    const into = join(folder, 'files', String(file));
    await mkdir(into, { recursive: true });
    const statement = writeTable({
      name: 'some orders',
      from: sql`(${userSql(selectOrders(from ?? 0, to ?? 0, number))})`,
      columns: columnsOf(schema),
      fieldIds: fieldIdsOf(schema),
      partitionBy: [],
      sortBy: [],
      folder: into,
      fileBytes: 1e12,
    });
    for (const one of await bench.session.copy(statement)) {
      for (let copy = 1; copy < copies; copy += 1) {
        const path = `${one.path}.${copy}`;
        await link(one.path, path);
        written.push({ ...one, path });
      }
      written.push(one);
    }
  }
  await commitFiles(lake.deps, ORDERS, written);
  return { ...lake, root, rows, bytes: written.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function fail(): never {
  throw new Error('the run made no table');
}

function selectOrders(from: number, to: number, number: Numbering): string {
  const bits = (field: string): string => `md5_number_lower('${field}' || i)`;
  return `SELECT ${number('i')} AS order_id, CAST(${bits('customer')} % 100000 AS BIGINT) AS customer_id,
    CAST(${bits('product')} % 100000 AS BIGINT) AS product_id, CAST(${bits('amount')} % 1000000 * 0.01 AS DECIMAL(10,2)) AS amount,
    to_hex(${bits('a')}) || to_hex(${bits('b')}) || to_hex(${bits('c')}) AS note
  FROM range(${from}, ${to}) AS ids(i)`;
}

export type Again = { readonly count: number; readonly from: number; readonly to: number };

function placeOf({ count, from, to }: Again = { count: 1, from: 0, to: 0 }, i: number): number {
  return from + Math.floor((i * (to - from)) / count);
}

/** Lands orders as CSV: those of a range of places, and `again` some at places all over another range. */
export async function landOrders(
  bench: Bench,
  root: string,
  name: string,
  { from, to, number, again }: { from: number; to: number; number: Numbering; again?: Again },
): Promise<void> {
  const landed = join(root, 'bronze', 'orders', 'orders');
  await mkdir(landed, { recursive: true });
  const places = [
    ...Array.from({ length: to - from }, (_, i) => from + i),
    ...Array.from({ length: again?.count ?? 0 }, (_, i) => placeOf(again, i)),
  ];
  const numbers = await bench.session.rows({
    name: 'numbers',
    text: userSql(`SELECT CAST(${number('i')} AS VARCHAR) AS n FROM (SELECT unnest([${places.join(', ')}]) AS i)`),
  });
  const lines = numbers.map(({ n }) => `${String(n)},7,9,1.25,an order that has come today`);
  await writeFile(join(landed, `${name}.csv`), `${HEADER}\n${lines.join('\n')}\n`);
}
