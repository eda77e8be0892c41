import { join } from 'node:path';
import { queryRows } from '../../lib/query/select.ts';
import type { Bench, Measured } from '../bench.ts';
import type { Figure } from '../figures.ts';
import { WORK } from '../folders.ts';
import { AT_RANDOM, IN_ORDER, landOrders, makeOrders, type Numbering, type OrderLake } from './own-table.ts';

const PERCENT = 2;
/** About the bytes of one row of the table, and of one that lands. */
const ROW_BYTES = 44;
const LANDED_BYTES = 45;
const NEW_MB = Number(process.env['STRATA_BENCH_NEW_MB'] ?? 1);
/** Of a hundred orders that land one is known already. */
const KNOWN = 100;
const FILES = 16;
const COPIES = Number(process.env['STRATA_BENCH_COPIES'] ?? 1);
const WHY =
  'Numbers at random lie between the bounds of every file and row group, so that the column of the key is brought whole; nothing else is.';

/**
 * An append of 1 MB that tells orders apart by their number, to a large table; STRATA_BENCH_TABLE_MB is the size of what is made, and
 * STRATA_BENCH_COPIES how often the table has each of its files, in all of which an order that is known then is. STRATA_BENCH_NEW_MB is what
 * lands: a tenth of it on a tenth of a table are as a whole of both, and need no copies.
 */
export async function measureDedupe(bench: Bench): Promise<Measured> {
  const megabytes = Number(process.env['STRATA_BENCH_TABLE_MB'] ?? (bench.sizes.history / 10_000_000) * 1_000);
  const inOrder = await makeTable(bench, megabytes, IN_ORDER);
  const figures = [
    await bytesOf(bench, inOrder, { what: 'known ones in its last tenth', recent: 0.1, bound: PERCENT }),
    await bytesOf(bench, inOrder, { what: 'known ones all over it', recent: 1, bound: PERCENT }),
  ];
  const atRandom = await makeTable(bench, megabytes / 10, AT_RANDOM);
  figures.push(await bytesOf(bench, atRandom, { what: 'numbers at random', recent: 1, bound: null }));
  return { figures, fingerprints: [], skipped: [] };
}

type Table = OrderLake & { readonly number: Numbering; landed: number };

async function makeTable(bench: Bench, megabytes: number, number: Numbering): Promise<Table> {
  const rows = Math.ceil((megabytes * 1e6) / ROW_BYTES);
  const lake = await makeOrders(bench, join(WORK, 'dedupe'), { rows, files: FILES, number, copies: COPIES });
  return { ...lake, number, landed: 0 };
}

async function bytesOf(
  bench: Bench,
  table: Table,
  { what, recent, bound }: { readonly what: string; readonly recent: number; readonly bound: number | null },
): Promise<Figure> {
  const count = Math.ceil((NEW_MB * 1e6) / LANDED_BYTES);
  const again = { count: Math.ceil(count / KNOWN), from: Math.floor(table.rows * (1 - recent)), to: table.rows };
  const from = table.rows + table.landed;
  table.landed += count;
  const orders = { from, to: from + count - again.count, number: table.number, again };
  await landOrders(bench, table.root, `today-${from}`, orders);
  const started = performance.now();
  const answer = await table.run({ pipeline: 'orders' });
  const seconds = (performance.now() - started) / 1000;
  if (answer.kind !== 'ended') throw new Error(JSON.stringify(answer));
  const { duplicates } = answer.result.accounting['orders'] ?? {};
  if (duplicates !== again.count) throw new Error(`${duplicates} known orders were found; expected ${again.count}`);
  const [read] = await queryRows(
    table.deps,
    'SELECT bytes_brought AS brought FROM orders_ops.runs ORDER BY started_at DESC LIMIT 1',
  );
  const brought = Number(read?.['brought']);
  bench.log(`dedupe, ${what}: ${brought} of ${table.bytes} bytes in ${seconds.toFixed(1)} s`);
  return {
    name: `append with dedupe by key, ${NEW_MB} MB to ${(table.bytes / 1e9).toFixed(2)} GB, ${what}: bytes brought`,
    value: (brought / table.bytes) * 100,
    unit: '%',
    bound,
    detail: `${(brought / 1e6).toFixed(1)} MB for ${count.toLocaleString('en-US')} orders, ${again.count} of them known; the run took ${seconds.toFixed(1)} s`,
    why: WHY,
  };
}
