import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { createLocalStore } from '../../lib/adapters/store/local.ts';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { createTable } from '../../lib/iceberg/changes.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { planFiles } from '../../lib/table/read.ts';

const run = promisify(execFile);
const WORKER = new URL('append-worker.ts', import.meta.url).pathname;
const WORKERS = 8;
const COMMITS = 25;

test('8 processes append 200 times to one table: every row once, one history', async () => {
  const root = mkdtempSync(join(tmpdir(), 'strata-race-'));
  try {
    const store = createLocalStore({ root, durable: false });
    const catalog = createFileCatalog(store, { parse: parseMetadata, render: renderMetadata });
    const table = { pipeline: 'race', layer: 'silver', name: 'events' } as const;
    const created = createTable({
      uuid: '00000000-0000-4000-8000-000000000001',
      location: store.location('silver/race/events'),
      columns: [{ name: 'id', type: { kind: 'bigint' } }],
      partitionBy: [],
      sortBy: [],
      properties: {},
    });
    await catalog.commit(table, undefined, applyChange(created, undefined, Date.now()));
    const workers = Array.from({ length: WORKERS }, (_, i) =>
      run(process.execPath, [WORKER, root, `w${i}`, String(COMMITS)]),
    );
    await Promise.all(workers);

    const entry = await catalog.load(table);
    assert.ok(entry !== undefined);
    const { metadata } = entry;
    assert.equal(metadata.snapshots.length, WORKERS * COMMITS);
    const byId = new Map(metadata.snapshots.map((s) => [s['snapshot-id'], s]));
    let length = 0;
    for (let at = metadata['current-snapshot-id'] ?? undefined; at !== undefined; length += 1) {
      at = byId.get(at)?.['parent-snapshot-id'];
    }
    assert.equal(length, WORKERS * COMMITS, 'each snapshot follows the one before it');
    const sequences = metadata.snapshots.map((s) => s['sequence-number']);
    assert.deepEqual(
      sequences,
      Array.from({ length: WORKERS * COMMITS }, (_, i) => BigInt(i + 1)),
    );
    const files = await planFiles(store, metadata);
    assert.equal(new Set(files.map((f) => f.path)).size, WORKERS * COMMITS);
    assert.equal(files.length, WORKERS * COMMITS);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
