import type { PartitionText } from '../../core/run.ts';
import { type GoldModel, modelId } from '../../core/spec.ts';
import { currentSpec, partitionSpecOf } from '../../iceberg/partition.ts';
import { columnsOf, currentSchema } from '../../iceberg/schema.ts';
import { currentSnapshot, snapshotById } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { attachPipeline } from '../../sql/other-pipelines.ts';
import { createSchemas, createTableView } from '../../sql/scan.ts';
import { listPartitions } from '../../sql/touched.ts';
import { createHashMacros } from '../../sql/transform.ts';
import { userTerm } from '../../sql/user-sql.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openFiles } from './foreign-files.ts';
import { changedInputs, hashModel, inputBefore, MODEL_HASH } from './gold-inputs.ts';
import { scanColumns, viewName } from './table-state.ts';

/**
 * The partitions of a gold table that depend on what changed in its driving input since the table was last computed,
 * by the data files that came and went between the two snapshots. `null`: all of the table has to be computed, because
 * its model does not promise that partitions are independent, because something else changed as well, or because the
 * earlier snapshot is gone.
 */
export async function findTouched(
  deps: StepDeps,
  model: GoldModel,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): Promise<readonly PartitionText[] | null> {
  const gold = states.get(model.id);
  if (model.refresh.kind !== 'touched' || gold === undefined) return null;
  const driver = modelId(model.refresh.driver);
  const state = states.get(driver);
  const summary = currentSnapshot(gold)?.summary;
  if (state === undefined || summary?.[MODEL_HASH] !== hashModel(model) || !samePartitioning(gold, model)) return null;
  if (changedInputs(model, gold, states).some((id) => id !== driver)) return null;
  const before = inputBefore(gold, driver);
  if (before === undefined || snapshotById(state, before) === undefined) return null;
  const changed = await changedFiles(deps, state, before);
  return changed.length === 0 ? [] : listTouched(deps, model, model.refresh.sql, state, changed);
}

function samePartitioning(gold: TableMetadata, model: GoldModel): boolean {
  const { spec } = partitionSpecOf(model.partitionBy, currentSchema(gold));
  const text = (fields: typeof spec.fields): string => JSON.stringify(fields.map((f) => [f['source-id'], f.transform]));
  return text(spec.fields) === text(currentSpec(gold).fields);
}

/** Data files of one snapshot that the other does not have. */
async function changedFiles(deps: StepDeps, state: TableMetadata, before: bigint): Promise<readonly ScannedFile[]> {
  const then = await planFiles(deps.store, state, { snapshotId: before });
  const now = await planFiles(deps.store, state);
  const known = (files: readonly ScannedFile[]): ReadonlySet<string> => new Set(files.map((f) => f.path));
  const [old, current] = [known(then), known(now)];
  return [...now.filter((f) => !old.has(f.path)), ...then.filter((f) => !current.has(f.path))];
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
  await using session = await deps.engine.open(deps.settings);
  await using opened = await openFiles(session, deps.store, state, changed);
  const { pipeline, layer } = driver;
  const schemas = pipeline === undefined ? createSchemas([layer]) : attachPipeline(pipeline, layer);
  for (const statement of schemas) await session.run(statement);
  await session.run(createHashMacros());
  const columns = scanColumns(state, columnsOf(currentSchema(state)));
  await session.run(createTableView(viewName(driver), columns, opened.files));
  const by = { fields: model.partitionBy, columns: model.columns };
  const rows = await session.rows(listPartitions(userTerm(sql), by));
  return rows.map((row) => model.partitionBy.map((_, i) => (row[`p${i}`] ?? null) as string | null));
}
