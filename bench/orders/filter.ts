import { join } from 'node:path';
import { queryRows } from '../../lib/query/select.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { loadTable, planFiles } from '../../lib/table/read.ts';
import type { Bench, Measured } from '../bench.ts';
import { median } from '../figures.ts';
import { WORK } from '../folders.ts';
import { IN_ORDER, makeOrders, ORDERS, type OrderLake } from './own-table.ts';

const FILES = 2_000;
/** Files that the compaction is to leave. */
const FILES_AFTER = 64;
const BOUNDS = { files: 5, time: 0.1, bytes: 20 } as const;

/** A filter on a table of many small files, before and after it was compacted along a Z-order of two columns. */
export async function measureFilter(bench: Bench): Promise<Measured> {
  const rows = bench.sizes.history;
  const lake = await makeOrders(bench, join(WORK, 'filter'), { rows, files: FILES, number: IN_ORDER });
  const before = await ask(lake, 'customer_id');
  const target_mb = lake.bytes / FILES_AFTER / 2 ** 20;
  const compact = { table: 'orders_silver.orders', zorder: ['customer_id', 'product_id'], target_mb };
  const started = performance.now();
  const answer = await compactTables(lake.deps, { pipeline: 'orders', compact });
  if (answer.kind !== 'ended' || answer.result.error !== null) throw new Error(JSON.stringify(answer));
  bench.log(`filter: compacted in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const first = await ask(lake, 'customer_id');
  const second = await ask(lake, 'product_id');
  if (first.rows !== before.rows) throw new Error(`${first.rows} rows after the compaction; expected ${before.rows}`);
  const name = `filter on a table of ${before.all.toLocaleString('en-US')} files after compaction along a Z-order`;
  const bytes = (one: Asked): string => `${(one.bytes / 1e6).toFixed(1)} MB of ${(one.allBytes / 1e6).toFixed(1)} MB`;
  return {
    figures: [
      {
        name: `${name}: files read`,
        value: (first.files / before.files) * 100,
        unit: '%',
        bound: BOUNDS.files,
        detail: `${first.files} of ${first.all}, ${before.files} of ${before.all} before; ${bytes(first)}`,
      },
      {
        name: `${name}: time`,
        value: first.ms / before.ms,
        unit: 'x',
        bound: BOUNDS.time,
        detail: `${before.ms.toFixed(0)} ms to ${first.ms.toFixed(0)} ms`,
      },
      {
        name: `${name}, by the second column alone: bytes of the files read`,
        value: (second.bytes / second.allBytes) * 100,
        unit: '%',
        bound: BOUNDS.bytes,
        detail: `${second.files} of ${second.all} files, ${bytes(second)}`,
      },
    ],
    fingerprints: [],
    skipped: [],
  };
}

type Asked = {
  readonly ms: number;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
  readonly all: number;
  readonly allBytes: number;
};

/** The middle of some queries for one value each, and what they read of the table. */
async function ask(lake: OrderLake, column: string): Promise<Asked> {
  const { metadata } = (await loadTable(lake.deps.catalog, ORDERS)) ?? {};
  if (metadata === undefined) throw new Error('no table');
  const sizes = new Map(
    (await planFiles(lake.deps.store, metadata)).map(({ path, bytes }) => [lake.deps.store.key(path), Number(bytes)]),
  );
  const asked: Awaited<ReturnType<typeof askOnce>>[] = [];
  for (const value of [4_711, 50_000, 77_777]) asked.push(await askOnce(lake, `${column} = ${value}`, sizes));
  const middle = (of: (one: (typeof asked)[number]) => number): number => median(asked.map(of));
  return {
    ms: middle(({ ms }) => ms),
    rows: asked.reduce((sum, one) => sum + one.rows, 0),
    files: middle(({ files }) => files),
    bytes: middle(({ bytes }) => bytes),
    all: sizes.size,
    allBytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}

async function askOnce(
  { deps }: OrderLake,
  where: string,
  sizes: ReadonlyMap<string, number>,
): Promise<Pick<Asked, 'ms' | 'rows' | 'files' | 'bytes'>> {
  const lent = new Set<string>();
  const store: typeof deps.store = {
    ...deps.store,
    borrow: (objects) => {
      for (const object of objects) lent.add(typeof object === 'string' ? object : object.key);
      return deps.store.borrow(objects);
    },
  };
  const started = performance.now();
  const [found] = await queryRows(
    { ...deps, store },
    `SELECT count(*) AS rows FROM orders_silver.orders WHERE ${where}`,
  );
  const ms = performance.now() - started;
  const files = [...lent].flatMap((key) => sizes.get(key) ?? []);
  return { ms, rows: Number(found?.['rows']), files: files.length, bytes: files.reduce((sum, one) => sum + one, 0) };
}
