import type { KeyedModel } from '../../core/keyed.ts';
import { keyBuckets, logColumns, logModelId, logTable } from '../../core/keyed.ts';
import { PERSONAL_COLUMNS } from '../../core/personal.ts';
import type { TableShape } from '../../core/run.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { columnsOf } from '../../iceberg/schema.ts';
import { parseTransform } from '../../iceberg/transforms.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { chosenBuckets } from '../../plan/buckets.ts';
import type { ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { madeProperties } from './made-by.ts';
import { modeProperties } from './table-mode.ts';
import { findModel, tableColumns, tableIdOf } from './table-state.ts';
import { planTarget } from './target.ts';

/**
 * What a run writes to a table that may be there already: the model's columns in the types that the table has or comes to
 * have, and the columns that only the table has. Throws AuditFailed when the table cannot take the model's columns.
 */
export function settleShape(store: ObjectStore, base: TableMetadata | undefined, shape: TableShape): TableShape {
  if (base === undefined) return { ...shape, kept: [] };
  const columns = columnsOf(planTarget(store, base, shape).schema);
  const wanted = new Set(shape.columns.map((column) => column.name));
  return { ...shape, columns, kept: columns.filter((column) => !wanted.has(column.name)) };
}

/** The table of an append, replace, full or gold model, with the columns that drift added. */
export function shapeOf(
  deps: Pick<StepDeps, 'ids'>,
  spec: PipelineSpec,
  model: ModelSpec,
  added: readonly Column[],
): TableShape {
  return {
    id: model.id,
    table: tableIdOf(spec, model),
    columns: [...tableColumns(model), ...added],
    partitionBy: model.partitionBy,
    sortBy: model.sortBy,
    uuid: deps.ids.uuid(),
    ...(model.renamed === undefined ? {} : { renamed: model.renamed }),
    // Made by the model as it is in the pipeline, whatever drift has added to it in this run.
    properties: {
      ...modeProperties(model),
      ...madeProperties(spec, findModel(spec, model.id)),
      ...(model.personal === undefined ? {} : { [PERSONAL_COLUMNS]: JSON.stringify(model.personal) }),
    },
  };
}

/** History and log of a keyed model, partitioned alike. */
export function keyedShapes(
  deps: Pick<StepDeps, 'ids'>,
  spec: PipelineSpec,
  model: KeyedModel,
  buckets: number,
): { readonly shape: TableShape; readonly log: TableShape } {
  const partitionBy = keyBuckets(model.mode, buckets);
  const shape = { ...shapeOf(deps, spec, model, []), partitionBy };
  const log = {
    ...shape,
    id: logModelId(model),
    table: logTable(shape.table),
    columns: logColumns(model.mode, model.columns),
    sortBy: [],
    uuid: deps.ids.uuid(),
  };
  return { shape, log };
}

/** The bucket count of a keyed table: what it was made with, else what the model asks for, else by the size that it is likely to get. */
export function bucketsOf(model: KeyedModel, base: TableMetadata | undefined, bytes: number): number {
  const field = base === undefined ? undefined : currentSpec(base).fields[0];
  const transform = field === undefined ? undefined : parseTransform(field.transform);
  if (transform?.kind === 'bucket') return transform.width;
  return chosenBuckets(model.mode, bytes);
}
