import { join } from 'node:path';
import { isKeyed, logModelId, logTable } from '../core/keyed.ts';
import type { GivenRow } from '../core/model-test.ts';
import { readableColumns, readableLogColumns } from '../core/readable-columns.ts';
import type { TableShape } from '../core/run.ts';
import { type ModelSpec, modelId, type PipelineSpec, type TableRef } from '../core/spec.ts';
import type { Column } from '../core/types.ts';
import { RUN_ID } from '../iceberg/snapshot.ts';
import type { StepDeps } from '../lake/deps.ts';
import { dataFilesOf } from '../lake/files/data-files.ts';
import { openScratch } from '../lake/files/scratch.ts';
import { stageFiles } from '../lake/files/stage-files.ts';
import { describeGold } from '../lake/tables/gold-inputs.ts';
import { modeProperties } from '../lake/tables/table-mode.ts';
import { findModel, tableIdOf } from '../lake/tables/table-state.ts';
import { planTarget } from '../lake/tables/target.ts';
import { renderGiven } from '../sql/given-rows.ts';
import { commitChange } from '../table/commit.ts';
import { prepareSnapshot } from '../table/prepare.ts';
import { loadTable } from '../table/read.ts';

/** Puts rows in the place of all that a table has, as a run would publish them. */
export async function giveTable(
  deps: StepDeps,
  spec: PipelineSpec,
  ref: TableRef,
  given: { readonly log: boolean; readonly rows: readonly GivenRow[] },
): Promise<void> {
  const table = tableIdOf(spec, ref);
  const model = standInOf(spec, ref);
  const own = { id: model.id, table, columns: readableColumns(model) };
  const shape = given.log && isKeyed(model) ? logShape(own, readableLogColumns(model)) : own;
  await replaceRows(
    deps,
    { ...NO_LAYOUT, ...shape, uuid: deps.ids.uuid(), properties: modeProperties(model) },
    model,
    given.rows,
  );
}

/** The model in whose place the rows are given; one is made up for a table of another pipeline. */
function standInOf(spec: PipelineSpec, ref: TableRef): ModelSpec {
  const id = modelId(ref);
  const other = spec.others?.find((one) => modelId(one) === id);
  if (other === undefined) return findModel(spec, id);
  const { name, columns } = other;
  const plain = { partitionBy: [], sortBy: [], expect: [], reads: [], readsLogs: [], description: null } as const;
  return { ...plain, id, name, columns, sql: '', sqlFile: null, layer: 'gold', refresh: { kind: 'full' } };
}

const NO_LAYOUT = { partitionBy: [], sortBy: [] } as const;
const FILE_BYTES = 134_217_728;

function logShape(
  own: Pick<TableShape, 'id' | 'table'>,
  columns: readonly Column[],
): Pick<TableShape, 'id' | 'table' | 'columns'> {
  return { id: logModelId(own), table: logTable(own.table), columns };
}

async function replaceRows(
  deps: StepDeps,
  shape: TableShape,
  model: ModelSpec,
  rows: readonly GivenRow[],
): Promise<void> {
  const entry = await loadTable(deps.catalog, shape.table);
  const target = planTarget(deps.store, entry?.metadata, shape);
  await using session = await deps.engine.open(deps.settings);
  await using scratch = await openScratch(deps, 'given');
  const from = renderGiven(shape.columns, rows);
  const staging = { from, target, folder: join(scratch.folder, 'out'), fileBytes: FILE_BYTES, stem: 'given' };
  const { placed } = await stageFiles(session, staging, deps);
  const prepared = await prepareSnapshot(deps.store, {
    base: entry,
    ...(target.create === undefined ? {} : { create: target.create }),
    added: dataFilesOf(deps.store, placed, target),
    remove: entry === undefined ? { kind: 'nothing' } : { kind: 'all' },
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { [RUN_ID]: `given-${deps.ids.unique()}`, ...summaryOf(model) },
    emptySnapshot: true,
  });
  await commitChange(deps, shape.table, prepared);
}

function summaryOf(model: ModelSpec): Readonly<Record<string, string>> {
  if (model.layer === 'silver') return {};
  return describeGold({}, model, new Map());
}
