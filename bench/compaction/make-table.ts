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

const EVENTS: TableId = { pipeline: 'events', layer: 'silver', name: 'events' };
const SILENT = { info: () => undefined, warn: () => undefined };
const MONTHS = 12;
const HEADER = 'event_id,event_ts,device_id,kind,session,quantity,price,score';

export type ManyFiles = {
  readonly root: string;
  /** The same files by month, for a script without a lake. */
  readonly plain: string;
  readonly files: number;
};

/** A table of so many rows in about so many files, those of a month spread over all of them, as many runs leave it. */
export async function makeManyFiles(bench: Bench, folder: string, rows: number, files: number): Promise<ManyFiles> {
  const root = join(await freshFolder(folder), 'lake');
  const landed = join(root, 'bronze', 'events', 'events');
  await mkdir(landed, { recursive: true });
  await writeFile(join(landed, 'first.csv'), `${HEADER}\n0,2025-01-01 00:00:00,1,view,s,1,1.00,1.5\n`);
  const { deps, run } = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  const first = await run({ pipeline: 'events' });
  if (first.kind !== 'ended') throw new Error(JSON.stringify(first));
  const table = await loadTable(deps.catalog, EVENTS);
  if (table === undefined) throw new Error('the run made no table');
  const columns = columnsOf(currentSchema(table.metadata));
  const fieldIds = fieldIdsOf(currentSchema(table.metadata));
  const slices = Math.ceil(files / MONTHS);
  const written: WrittenFile[] = [];
  for (let slice = 0; slice < slices; slice += 1) {
    const folderOf = join(folder, 'slices', String(slice));
    await mkdir(folderOf, { recursive: true });
    const statement = writeTable({
      name: 'a slice of the events',
      from: sql`(${userSql(eventsOf(rows, slices, slice))})`,
      columns,
      fieldIds,
      partitionBy: [{ column: 'event_ts', transform: { kind: 'month' } }],
      sortBy: [],
      folder: folderOf,
      fileBytes: 1e9,
    });
    written.push(...(await bench.session.copy(statement)));
  }
  const plain = join(folder, 'plain');
  for (const [at, file] of written.entries()) {
    const month = join(plain, String(file.partition[0]?.value));
    await mkdir(month, { recursive: true });
    await link(file.path, join(month, `${at}.parquet`));
  }
  await commitFiles(deps, EVENTS, written);
  return { root, plain, files: written.length };
}

function eventsOf(rows: number, slices: number, slice: number): string {
  const bits = (field: string): string => `md5_number_lower('${field}' || i)`;
  return `SELECT i AS event_id, TIMESTAMP '2025-01-01' + to_seconds(i * 31536000 // ${rows + 1}) AS event_ts,
    CAST(1 + ${bits('device')} % 200000 AS INTEGER) AS device_id, 'kind ' || ${bits('kind')} % 6 AS kind,
    to_hex(${bits('session')}) AS session, CAST(${bits('quantity')} % 1001 AS INTEGER) AS quantity,
    CAST(${bits('price')} % 10000000 * 0.01 AS DECIMAL(10,2)) AS price, CAST(${bits('score')} % 1000000 AS DOUBLE) / 1000 AS score
  FROM range(1, ${rows + 1}) AS ids(i) WHERE hash(i) % ${slices} = ${slice}`;
}
