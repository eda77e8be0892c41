import assert from 'node:assert/strict';
import { opsTable } from '../../lib/core/ops.ts';
import { fullName, parseTableName } from '../../lib/core/tables.ts';
import { filePaths, manifestPaths } from '../../lib/iceberg/reachable.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { readOpenRun } from '../../lib/lake/run/open-run.ts';
import { readServed } from '../../lib/lake/serve/served.ts';
import { openTable } from '../../lib/lake/tables/table-state.ts';
import type { ObjectStore, Row } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';
import { readStoredSink } from '../ports/memory-sink.ts';

/** Every snapshot that any table has can be read: nothing that it names is missing. Holds at every moment. */
export async function requireReadable({ store, catalog }: Pick<StepDeps, 'store' | 'catalog'>): Promise<void> {
  for (const id of await catalog.list()) {
    const metadata = (await loadTable(catalog, id))?.metadata;
    for (const { 'manifest-list': list, 'snapshot-id': snapshot } of metadata?.snapshots ?? []) {
      const missing = await missingFiles(store, list);
      assert.deepEqual(missing, [], `${fullName(id)}: snapshot ${snapshot} cannot be read`);
    }
  }
}

async function missingFiles(store: ObjectStore, list: string): Promise<readonly string[]> {
  const gone = async (path: string): Promise<boolean> => (await store.head(store.key(path))) === undefined;
  if (await gone(list)) return [list];
  const missing: string[] = [];
  for (const manifest of manifestPaths((await store.read(store.key(list))).bytes, list)) {
    if (await gone(manifest)) {
      missing.push(manifest);
      continue;
    }
    const files = filePaths((await store.read(store.key(manifest))).bytes, manifest);
    for (const { path, live } of files) if (live && (await gone(path))) missing.push(path);
  }
  return missing;
}

/**
 * Once all has ended: every landed file is in the tables once, the books say so, and nothing is at work. `again`: files may have
 * been taken twice.
 */
export async function requireSettled(deps: StepDeps, landed: readonly number[], again: boolean): Promise<void> {
  const ids = [...landed].sort((a, b) => a - b);
  const rows = await rowsOf(deps, 'shop_silver.items', 'SELECT id FROM t ORDER BY ALL');
  assert.deepEqual(
    rows.map(({ id }) => id),
    ids,
    'rows of items',
  );
  const total = await rowsOf(deps, 'shop_gold.total', 'SELECT id FROM t');
  assert.deepEqual(
    total.map(({ id }) => Number(id)),
    [ids.reduce((sum, id) => sum + id, 0)],
    'total',
  );
  const known = await rowsOf(
    deps,
    fullName(opsTable('shop', 'files')),
    `SELECT key FROM t WHERE status = 'ingested' ORDER BY ALL`,
  );
  const keys = ids.map((id) => `bronze/shop/rows/${id}.csv`).sort();
  const named = known.map(({ key }) => key);
  assert.deepEqual(again ? [...new Set(named)] : named, keys, 'the ledger');
  for (const kind of [undefined, 'maintenance'] as const) {
    const of = { pipeline: 'shop', ...(kind === undefined ? {} : { kind }) };
    assert.equal((await readOpenRun(deps.store, of)).run, undefined, 'no run is open');
    const lock = `ops/shop/${kind === undefined ? '' : 'maintenance-'}lock.json`;
    if ((await deps.store.head(lock)) === undefined) continue;
    const { bytes } = await deps.store.read(lock);
    assert.match(new TextDecoder().decode(bytes), /"released":true/, 'no lock is held');
  }
}

/** What is served is what the lake has, of the run that the lake says. */
export async function requireServed({ store }: StepDeps, landed: readonly number[]): Promise<void> {
  const { tables, book } = await readStoredSink(store);
  const sum = landed.reduce((all, id) => all + id, 0);
  assert.deepEqual(tables, [['web.total', [{ id: String(sum) }]]], 'what is served');
  const said = (await readServed(store, 'shop'))?.tables.map(({ run_id }) => `shop ${run_id}`) ?? [];
  assert.deepEqual(
    said.filter((run) => !book.some(([served]) => served === run)),
    [],
    'runs that have served',
  );
}

async function rowsOf(deps: StepDeps, table: string, select: string): Promise<readonly Row[]> {
  const entry = await loadTable(deps.catalog, parseTableName(table));
  assert.ok(entry !== undefined, `no table ${table}`);
  await using session = await deps.engine.open(deps.settings);
  const columns = columnsOf(currentSchema(entry.metadata));
  await using _files = await openTable(deps.store, session, { schema: 'main', table: 't' }, entry.metadata, columns);
  return await session.rows({ name: 'rows', text: userSql(select) });
}
