import type {
  CompactedTable,
  LeftPartition,
  MaintenancePlan,
  RewriteItem,
  RewriteUnit,
} from '../../core/maintenance.ts';
import { requireReadable } from '../../core/plan-format.ts';
import type { Measured } from '../../core/requests.ts';
import type { RunRef } from '../../core/run.ts';
import { parseMetadata, renderMetadata } from '../../iceberg/json.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { readJson, readJsonIfAny, runFolder, writeJson, writeOnce } from '../run/run-folder.ts';
import type { Placed } from '../run/unit-result.ts';

/**
 * The objects of a run of maintenance. Rounds lie where levels of other runs do, with units and results under the same
 * names; beside them are the tables as they were looked at, what is prepared for them, and what became of them.
 */
export const maintenancePlaces = {
  units: runFolder.mergeUnits,
  base: (run: RunRef, round: number, table: string): string => `${runFolder.level(run, round)}/bases/${table}.json`,
  prepared: (run: RunRef, round: number, table: string, attempt: number): string =>
    `${runFolder.level(run, round)}/prepared/${table}-${attempt}.json`,
  outcome: (run: RunRef, round: number, table: string): string =>
    `${runFolder.level(run, round)}/outcomes/${table}.json`,
} as const;

/** A bin that was written anew: where its rows are now. */
export type RewrittenBin = {
  /** Place of the bin in its unit. */
  readonly bin: number;
  readonly rows: number;
  readonly written: readonly Placed[];
};

/** What a unit did. Written once. */
export type RewriteResult = Measured & {
  readonly unit: string;
  readonly table: string;
  readonly bins: readonly RewrittenBin[];
  readonly left: readonly LeftPartition[];
};

/** What became of a table in a round. Written once. */
export type TableRound = {
  readonly done: CompactedTable;
  /** The bins that the table has now, by unit and place. */
  readonly bins: PreparedRound['bins'];
  /** Partitions that another run changed meanwhile, each as its spec and its path. */
  readonly yielded: readonly { readonly spec: number; readonly partition: string }[];
  readonly left: readonly LeftPartition[];
  /** Of `done`, what rounds before it had written, which was laid out once more; left out: nothing. */
  readonly again?: Pick<CompactedTable, 'partitions' | 'files' | 'bytes' | 'rows'>;
};

/** A prepared snapshot, as `renderPrepared` writes it, and the bins that it has the rows of, by unit and place. */
export type PreparedRound = { readonly bins: readonly (readonly [unit: string, bin: number])[]; readonly text: string };

/** Throws InvalidInput for a plan of a format that this release does not read. */
export async function readMaintenancePlan(store: ObjectStore, run: RunRef): Promise<MaintenancePlan> {
  return requireReadable(await readJson<MaintenancePlan>(store, runFolder.plan(run)), run);
}

/** Writes the units of a round and their list; answers where that is. */
export async function writeRound(
  store: ObjectStore,
  run: RunRef,
  round: number,
  units: readonly RewriteUnit[],
): Promise<{ readonly units_key: string; readonly count: number }> {
  for (const unit of units) await writeOnce(store, runFolder.unit(run, round, unit.unit), unit);
  const units_key = maintenancePlaces.units(run, round);
  const items: readonly RewriteItem[] = units.map(({ unit }) => ({ round, unit }));
  await writeJson(store, units_key, items);
  return { units_key, count: units.length };
}

export async function readRound(store: ObjectStore, run: RunRef, round: number): Promise<readonly RewriteItem[]> {
  return (await readJsonIfAny<readonly RewriteItem[]>(store, maintenancePlaces.units(run, round))) ?? [];
}

export function readRewriteUnit(store: ObjectStore, run: RunRef, { round, unit }: RewriteItem): Promise<RewriteUnit> {
  return readJson<RewriteUnit>(store, runFolder.unit(run, round, unit));
}

export function readRewriteResult(
  store: ObjectStore,
  run: RunRef,
  { round, unit }: RewriteItem,
): Promise<RewriteResult | undefined> {
  return readJsonIfAny<RewriteResult>(store, runFolder.unitResult(run, round, unit));
}

/** Keeps a table as it was looked at, without its history: runs beside this one remove metadata files. */
export async function keepBase(
  store: ObjectStore,
  run: RunRef,
  { round, table }: { readonly round: number; readonly table: string },
  metadata: TableMetadata,
): Promise<void> {
  const current = currentSnapshot(metadata);
  const { refs: _refs, ...rest } = metadata;
  const kept = {
    ...rest,
    snapshots: current === undefined ? [] : [current],
    'snapshot-log': [],
    'metadata-log': [],
  };
  const bytes = new TextEncoder().encode(renderMetadata(kept));
  await store.write(maintenancePlaces.base(run, round, table), bytes, { kind: 'any' });
}

export async function readBase(store: ObjectStore, run: RunRef, round: number, table: string): Promise<TableMetadata> {
  const key = maintenancePlaces.base(run, round, table);
  return parseMetadata((await store.read(key)).bytes, key);
}
