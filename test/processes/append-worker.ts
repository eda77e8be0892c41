/**
 * One of several processes that append to a table at once: `append-worker.ts <root> <worker> <commits>`. Every commit
 * adds one data file of one row; the files themselves are never read, so they need not exist.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { createLocalStore } from '../../lib/adapters/store/local.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { commitChange } from '../../lib/table/commit.ts';
import { prepareSnapshot } from '../../lib/table/prepare.ts';
import { loadTable } from '../../lib/table/read.ts';

const [root = '', worker = '', commits = '0'] = process.argv.slice(2);
const table = { pipeline: 'race', layer: 'silver', name: 'events' } as const;
const store = createLocalStore({ root, durable: false });
const catalog = createFileCatalog(store, { parse: parseMetadata, render: renderMetadata });
const deps = {
  store,
  catalog,
  clock: { now: () => new Date() },
  ids: {
    unique: () => randomBytes(6).toString('hex'),
    uuid: () => randomUUID(),
    snapshot: () => randomBytes(8).readBigUInt64BE() >> 1n,
  },
  wait: (ms: number) => sleep(ms * (0.5 + Math.random())),
};

for (let n = 0; n < Number(commits); n += 1) {
  const base = await loadTable(catalog, table);
  const prepared = await prepareSnapshot(store, {
    base,
    added: [
      {
        path: store.location(`silver/race/events/data/${worker}-${n}.parquet`),
        specId: 0,
        partition: [],
        rows: 1n,
        bytes: 1n,
        columnSizes: new Map(),
        valueCounts: new Map(),
        nullCounts: new Map(),
        nanCounts: new Map(),
        lowerBounds: new Map(),
        upperBounds: new Map(),
        sortOrderId: null,
      },
    ],
    remove: { kind: 'nothing' },
    snapshotId: deps.ids.snapshot(),
    nowMs: Date.now(),
    unique: deps.ids.unique(),
    summary: { 'strata.run_id': `${worker}-${n}` },
  });
  await commitChange(deps, table, prepared, { attempts: 1000 });
}
