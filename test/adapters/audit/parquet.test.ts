import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import { createParquetAuditLog } from '../../../lib/adapters/audit/parquet.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { createDuckDbEngine } from '../../../lib/engine/duckdb.ts';
import type { AuditRow, ObjectStore } from '../../../lib/ports.ts';
import { userSql } from '../../../lib/sql/user-sql.ts';

const at = new Date('2026-01-02T03:04:05.678Z');
const ROWS: readonly AuditRow[] = [
  { at, function: 'starter', event: 'started', run_id: 'upload-1', detail: 'bronze/shop/orders/ä b.csv\nand 2 more' },
  { at: new Date(0), function: 'starter', event: 'ignored', run_id: null, detail: '' },
];

async function written(rows: readonly AuditRow[]): Promise<{ store: ObjectStore; keys: readonly string[] }> {
  const store = createMemoryStore();
  let files = 0;
  await createParquetAuditLog(store, 'shop', () => `u${++files}`).append(rows);
  const keys: string[] = [];
  for await (const { key } of store.list('ops/')) keys.push(key);
  return { store, keys };
}

test('each function has a folder of its own below the table', async () => {
  const { keys } = await written([...ROWS, { at, function: 'fail', event: 'failed', run_id: 'r', detail: 'x' }]);
  assert.deepEqual(keys, ['ops/shop/audit_log/fail/u2.parquet', 'ops/shop/audit_log/starter/u1.parquet']);
});

test('no rows make no file', async () => {
  assert.deepEqual((await written([])).keys, []);
});

test('hyparquet reads the rows as they were written', async () => {
  const { store, keys } = await written(ROWS);
  const { bytes } = await store.read(keys[0] ?? '');
  const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
  assert.deepEqual(
    rows.map((row) => ({ ...row, run_id: row['run_id'] ?? null })),
    ROWS,
  );
});

test('rows that belong to no run are read as such, alone and among others', async () => {
  const [first, second] = ROWS as [AuditRow, AuditRow];
  for (const rows of [[second], [second, second], [second, first, second]]) {
    const { store, keys } = await written(rows);
    const { bytes } = await store.read(keys[0] ?? '');
    const read = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
    assert.deepEqual(
      read.map((row) => row['run_id'] ?? null),
      rows.map((row) => row.run_id),
    );
  }
});

test('DuckDB reads the rows, with the types of the table audit_log', async () => {
  const { store, keys } = await written(ROWS);
  const folder = await mkdtemp(join(tmpdir(), 'strata-audit-'));
  const session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 1, scratch: folder });
  try {
    const path = join(folder, 'rows.parquet');
    await writeFile(path, (await store.read(keys[0] ?? '')).bytes);
    const text = `SELECT * FROM read_parquet('${path}')`;
    assert.deepEqual(
      (await session.describe({ name: 'audit', text: userSql(text) })).map(({ name, type }) => `${name} ${type}`),
      ['at TIMESTAMP', 'function VARCHAR', 'event VARCHAR', 'run_id VARCHAR', 'detail VARCHAR'],
    );
    assert.deepEqual(await session.rows({ name: 'audit', text: userSql(`${text} ORDER BY "at"`) }), [
      { ...ROWS[1], at: '1970-01-01 00:00:00' },
      { ...ROWS[0], at: '2026-01-02 03:04:05.678' },
    ]);
  } finally {
    await session[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
