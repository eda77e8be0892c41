import { mapConcurrent } from '../../core/concurrency.ts';
import type { PartitionText } from '../../core/run.ts';
import { type GoldModel, modelId, type PipelineSpec } from '../../core/spec.ts';
import { ownFiles } from '../../iceberg/own-files.ts';
import { currentSpec, partitionSpecOf } from '../../iceberg/partition.ts';
import { columnsOf, currentSchema } from '../../iceberg/schema.ts';
import { snapshotById, snapshotsSince } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';
import type { Session } from '../../ports.ts';
import { createTableAt } from '../../sql/bind.ts';
import { createTableView } from '../../sql/scan.ts';
import { listPartitions } from '../../sql/touched.ts';
import { createHashMacros } from '../../sql/transform.ts';
import { userSql, userTerm } from '../../sql/user-sql.ts';
import { entriesOf } from '../../table/conflicts.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { placeOf } from './bind-reads.ts';
import { openParts } from './foreign-files.ts';
import { changedInputs, dueReason, goldSummary, hashModel, inputBefore, MODEL_HASH } from './gold-inputs.ts';
import { neededColumns } from './needed-files.ts';
import { findNeeds } from './read-needs.ts';
import { createPlaces, scanColumns, viewName } from './table-state.ts';

/**
 * The partitions of a gold table that depend on what changed in its driving input since the table was last computed,
 * by the data files that came and went between the two snapshots. `null`: all of the table has to be computed, because
 * its model does not promise that partitions are independent, because something else changed as well, or because the
 * earlier snapshot is gone.
 */
export async function findTouched(
  deps: StepDeps,
  spec: Pick<PipelineSpec, 'runAt'>,
  model: GoldModel,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): Promise<readonly PartitionText[] | null> {
  const gold = states.get(model.id);
  if (model.refresh.kind !== 'touched' || gold === undefined) return null;
  const driver = modelId(model.refresh.driver);
  const state = states.get(driver);
  if (state === undefined || goldSummary(gold)?.[MODEL_HASH] !== hashModel(model) || !samePartitioning(gold, model))
    return null;
  if (dueReason(spec, model, gold) !== undefined) return null;
  if (changedInputs(model, gold, states).some((id) => id !== driver)) return null;
  const before = inputBefore(gold, driver);
  if (before === undefined || snapshotById(state, before) === undefined) return null;
  const changed = await changedFiles(deps, state, before);
  if (changed === undefined) return null;
  return changed.length === 0 ? [] : listTouched(deps, model, model.refresh.sql, state, changed);
}

function samePartitioning(gold: TableMetadata, model: GoldModel): boolean {
  const { spec } = partitionSpecOf(model.partitionBy, currentSchema(gold));
  const text = (fields: typeof spec.fields): string => JSON.stringify(fields.map((f) => [f['source-id'], f.transform]));
  return text(spec.fields) === text(currentSpec(gold).fields);
}

/**
 * Data files of one snapshot that the other does not have, and those from which other rows are deleted than before: all of
 * their rows, since those that went are no longer told from those that stay. Where files were rewritten in between, which
 * changes no rows, those that came and went otherwise; undefined where that cannot be told any more.
 */
async function changedFiles(
  deps: StepDeps,
  state: TableMetadata,
  before: bigint,
): Promise<readonly ScannedFile[] | undefined> {
  const newer = snapshotsSince(state, before);
  if (newer?.some(rewrites) === true) {
    const others = newer.filter((snapshot) => !rewrites(snapshot));
    const deletes = await mapConcurrent(others, (snapshot) => entriesOf(deps.store, state, snapshot, 'deletes'));
    // The files that they name may have been written anew since, without those rows or, where they were taken away, with them.
    if (deletes.flat().length > 0) return undefined;
    return (await mapConcurrent(others, (snapshot) => filesOf(deps, state, snapshot))).flat();
  }
  const then = await planFiles(deps.store, state, { snapshotId: before });
  const now = await planFiles(deps.store, state);
  const known = (files: readonly ScannedFile[]): ReadonlyMap<string, ScannedFile> =>
    new Map(files.map((f) => [f.path, f]));
  const [old, current] = [known(then), known(now)];
  const stayed = now.filter((f) => {
    const before = old.get(f.path);
    return before !== undefined && deletesKey(before) !== deletesKey(f);
  });
  return [
    ...now.filter((f) => !old.has(f.path)),
    ...then.filter((f) => !current.has(f.path)),
    ...stayed.map((f) => ({ ...f, deletes: [] })),
  ];
}

function deletesKey({ deletes }: ScannedFile): string {
  return JSON.stringify(deletes.map(({ path }) => path).sort());
}

function rewrites({ summary }: Snapshot): boolean {
  return summary.operation === 'replace';
}

/** What a snapshot added and removed; of what it removed it is not known any more who wrote it. */
async function filesOf(deps: StepDeps, state: TableMetadata, snapshot: Snapshot): Promise<readonly ScannedFile[]> {
  const isOwn = ownFiles(state);
  const entries = await entriesOf(deps.store, state, snapshot, 'data');
  return entries.map((entry) => ({
    ...entry.file,
    snapshotId: entry.snapshotId,
    foreign: entry.status === 'deleted' || !isOwn(entry),
    sequence: entry.sequenceNumber ?? 0n,
    deletes: [],
  }));
}

async function listTouched(
  deps: StepDeps,
  model: GoldModel,
  sql: string,
  state: TableMetadata,
  changed: readonly ScannedFile[],
): Promise<readonly PartitionText[]> {
  if (model.refresh.kind !== 'touched') return [];
  const { driver } = model.refresh;
  const columns = scanColumns(state, columnsOf(currentSchema(state)));
  const prepare = async (session: Session): Promise<void> => {
    await createPlaces(session, [driver]);
    await session.run(createHashMacros());
  };
  const needs = await findNeeds(deps, userSql(sql), async (bound) => {
    await prepare(bound);
    await bound.run(createTableAt(placeOf(driver), columns));
  });
  const needed = neededColumns(columns, needs(viewName(driver)));
  await using session = await deps.engine.open(deps.settings);
  await prepare(session);
  await using opened = await openParts(session, { store: deps.store, metadata: state }, changed, needed);
  await session.run(createTableView(viewName(driver), columns, opened.files));
  const by = { fields: model.partitionBy, columns: model.columns };
  const rows = await session.rows(listPartitions(userTerm(sql), by));
  return rows.map((row) => model.partitionBy.map((_, i) => (row[`p${i}`] ?? null) as string | null));
}
