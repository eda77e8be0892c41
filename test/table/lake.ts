import assert from 'node:assert/strict';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import type { TableId } from '../../lib/core/tables.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { DataFile, TableMetadata } from '../../lib/iceberg/types.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { type CommitDeps, commitChange } from '../../lib/table/commit.ts';
import { type Prepared, prepareSnapshot, type SnapshotInput } from '../../lib/table/prepare.ts';
import { planFiles, readManifestList } from '../../lib/table/read.ts';
import { column } from '../iceberg/arbitraries.ts';

/** A table in memory, partitioned by `region`, with files that exist in name only. */

export const ID: TableId = { pipeline: 'shop', layer: 'silver', name: 'sales' };

export type Lake = CommitDeps & { readonly waits: readonly number[] };

export function createLake(store: ObjectStore = createMemoryStore()): Lake {
  let ticks = 0;
  const tick = (): number => {
    ticks += 1;
    return ticks;
  };
  const waits: number[] = [];
  return {
    store,
    catalog: createFileCatalog(store, { parse: (text: string) => parseMetadata(text), render: renderMetadata }),
    clock: { now: () => new Date(1_700_000_000_000 + tick()) },
    ids: {
      uuid: () => `uuid-${tick()}`,
      unique: () => `u${tick()}`,
      snapshot: () => 9_000_000_000_000_000_000n + BigInt(tick()),
    },
    wait: async (ms) => {
      waits.push(ms);
    },
    waits,
  };
}

export function location(lake: Lake): string {
  return lake.store.location('silver/shop/sales');
}

/** A file of one region (null is a region too) with ten rows. */
export function file(lake: Lake, name: string, region: string | null = 'EU'): DataFile {
  return {
    path: `${location(lake)}/data/${name}.parquet`,
    specId: 0,
    partition: [region],
    rows: 10n,
    bytes: 100n,
    columnSizes: new Map(),
    valueCounts: new Map([[1, 10n]]),
    nullCounts: new Map([[1, 0n]]),
    nanCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
    sortOrderId: null,
  };
}

export type Wanted = Partial<
  Pick<SnapshotInput, 'added' | 'addedDeletes' | 'remove' | 'alter' | 'emptySnapshot' | 'rewrite' | 'mergeAll'>
> & {
  readonly run?: string;
  readonly properties?: Readonly<Record<string, string>>;
};

export async function prepare(lake: Lake, wanted: Wanted): Promise<Prepared> {
  const { run = `run-${lake.ids.unique()}`, properties = {}, ...rest } = wanted;
  return prepareSnapshot(lake.store, {
    base: await lake.catalog.load(ID),
    create: {
      uuid: lake.ids.uuid(),
      location: location(lake),
      columns: [column('id', 'bigint'), column('region', 'string')],
      partitionBy: [{ column: 'region', transform: { kind: 'identity' } }],
      sortBy: [],
      properties,
    },
    added: [],
    remove: { kind: 'nothing' },
    snapshotId: lake.ids.snapshot(),
    nowMs: lake.clock.now().getTime(),
    unique: lake.ids.unique(),
    summary: { 'strata.run_id': run },
    ...rest,
  });
}

export async function write(lake: Lake, wanted: Wanted): Promise<TableMetadata> {
  const { entry } = await commitChange(lake, ID, await prepare(lake, wanted));
  return entry.metadata;
}

export async function load(lake: Lake): Promise<TableMetadata> {
  const entry = await lake.catalog.load(ID);
  assert.ok(entry);
  return entry.metadata;
}

/** Names of the files that a reader of the current snapshot sees, sorted. */
export async function names(lake: Lake, metadata?: TableMetadata, snapshotId?: bigint): Promise<string> {
  const options = snapshotId === undefined ? {} : { snapshotId };
  const files = await planFiles(lake.store, metadata ?? (await load(lake)), options);
  return files
    .map((one) => one.path.replace(/^.*\/(.*)\.parquet$/, '$1'))
    .sort()
    .join(' ');
}

export async function manifestsOf(lake: Lake, metadata: TableMetadata) {
  const snapshot = currentSnapshot(metadata);
  assert.ok(snapshot);
  return readManifestList(lake.store, metadata, snapshot);
}
