import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { icebergMetadata, icebergRead } from 'icebird';
import { fullName, type TableId, tablePrefix } from '../../lib/core/tables.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import { openTable } from '../../lib/lake/tables/table-state.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { type LocalLake, openLocalLake } from '../../lib/runtime/local.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { quotePath } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { fromDuckDb, fromIcebird } from './representable.ts';
import { serveFolder } from './serve-folder.ts';

/** A lake in a temporary folder whose tables' locations are URLs that are served on loopback. */
export type ServedLake = {
  readonly lake: LocalLake;
  readonly session: Session;
  readonly url: string;
  close(): Promise<void>;
};

export async function openServedLake(pipelines: string): Promise<ServedLake> {
  const root = await mkdtemp(join(tmpdir(), 'strata-readback-'));
  const server = await serveFolder(root);
  const log = { info: () => {}, warn: () => {} };
  const options = { root, pipelines, locationBase: server.url, log, memoryBytes: 1_000_000_000, threads: 2 };
  const lake = await openLocalLake(options);
  const session = await lake.deps.engine.open(lake.deps.settings);
  await session.run({ name: 'schema', text: sql`CREATE SCHEMA lake` });
  return {
    lake,
    session,
    url: server.url,
    async close() {
      await session[Symbol.asyncDispose]();
      await server.close();
      await rm(root, { recursive: true });
    },
  };
}

/** Makes a path in bronze that an uploader would write to. */
export async function landingPath(lake: LocalLake, ...key: readonly string[]): Promise<string> {
  const path = join(lake.root, 'bronze', ...key);
  await mkdir(dirname(path), { recursive: true });
  return path;
}

/** Runs a pipeline; anything but success fails the test with the run's own message. */
export async function runPipeline({ lake }: ServedLake, pipeline: string): Promise<void> {
  const answer = await lake.run({ pipeline });
  assert.ok(answer.kind === 'ended', JSON.stringify(answer));
  assert.equal(answer.result.status, 'SUCCEEDED', JSON.stringify(answer.result.error));
}

export async function loadMetadata({ lake }: ServedLake, id: TableId): Promise<TableMetadata> {
  const entry = await lake.deps.catalog.load(id);
  assert.ok(entry, `no table ${fullName(id)}`);
  return entry.metadata;
}

/** A table's rows by Strata's own scan, the current snapshot's or another one's. */
export async function scanRows(served: ServedLake, id: TableId, snapshotId?: bigint): Promise<readonly Row[]> {
  const { store } = served.lake.deps;
  const metadata = await loadMetadata(served, id);
  const scan = snapshotId === undefined ? {} : { snapshotId };
  const borrowed = await openTable(store, served.session, { schema: 'lake', table: id.name }, metadata, [], scan);
  try {
    return await served.session.rows({ name: fullName(id), text: userSql(`FROM ${quotePath('lake', id.name)}`) });
  } finally {
    await borrowed[Symbol.asyncDispose]();
  }
}

/** The same by icebird, which refuses to read a snapshot without files: that is no rows. */
export async function icebirdRows(
  served: ServedLake,
  id: TableId,
  snapshotId?: bigint,
): Promise<readonly IcebirdRow[]> {
  const tableUrl = `${served.url}/${tablePrefix(id)}`;
  try {
    return await icebergRead({ tableUrl, ...(await metadataAt(tableUrl, snapshotId)) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    if (reason.startsWith('No data manifest files found') || reason.startsWith('No current snapshot id')) return [];
    throw error;
  }
}

export type IcebirdRow = Readonly<Record<string, unknown>>;

/** icebird travels in time by metadata that names another current snapshot. */
async function metadataAt(tableUrl: string, snapshotId: bigint | undefined) {
  if (snapshotId === undefined) return {};
  // icebird reads JSON numbers as doubles, so its snapshot ids are rounded.
  return { metadata: { ...(await icebergMetadata({ tableUrl })), 'current-snapshot-id': Number(snapshotId) } };
}

/** Asserts that icebird reads the rows that Strata's own scan reads; answers how many. */
export async function assertReadsAlike(served: ServedLake, id: TableId, snapshotId?: bigint): Promise<number> {
  const columns = columnsOf(currentSchema(await loadMetadata(served, id)));
  const ours = (await scanRows(served, id, snapshotId)).map((row) => fromDuckDb(row, columns));
  const theirs = (await icebirdRows(served, id, snapshotId)).map((row) => fromIcebird(row, columns));
  assert.deepEqual(sorted(theirs), sorted(ours));
  return ours.length;
}

/** Order of rows is no part of a table. */
export function sorted(rows: readonly (readonly unknown[])[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row, exact)).sort();
}

/** JSON has one null for null, NaN and infinities, and one zero. */
function exact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'number' ? (Object.is(value, -0) ? '-0' : String(value)) : value;
}
