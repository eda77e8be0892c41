import type { KeyedModel } from '../../core/keyed.ts';
import { isKeyed, keyBuckets, liesInRanges, logColumns, logModelId, logTable } from '../../core/keyed.ts';
import { PERSONAL_COLUMNS } from '../../core/personal.ts';
import type { TableShape } from '../../core/run.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import type { TableId } from '../../core/tables.ts';
import type { Column } from '../../core/types.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { columnsOf } from '../../iceberg/schema.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import { parseTransform } from '../../iceberg/transforms.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { chosenBuckets, rebuiltBuckets } from '../../plan/buckets.ts';
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

/** How the keys of a keyed table lie: in so many buckets, which partition it, or in ranges, which are those of its files. */
export type KeyLayout = number | 'ranges';

/** History and log of a keyed model, partitioned alike. */
export function keyedShapes(
  deps: Pick<StepDeps, 'ids'>,
  spec: PipelineSpec,
  model: KeyedModel,
  layout: KeyLayout,
): { readonly shape: TableShape; readonly log: TableShape } {
  const partitionBy = layout === 'ranges' ? [] : keyBuckets(model.mode, layout);
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

/** How the keys of a keyed table lie: as it was made, else as the model asks for, else in buckets by the size that it is likely to get. */
export function layoutOf(model: KeyedModel, base: TableMetadata | undefined, bytes: number): KeyLayout {
  const [field] = base === undefined ? [] : currentSpec(base).fields;
  const transform = field === undefined ? undefined : parseTransform(field.transform);
  if (transform?.kind === 'bucket') return transform.width;
  if (base === undefined ? liesInRanges(model.mode) : field === undefined) return 'ranges';
  return chosenBuckets(model.mode, bytes);
}

/** How they lie when it is rebuilt: as the model asks for, or as the table needs, now. */
export function rebuiltLayout(model: KeyedModel, was: KeyLayout, base: TableMetadata | undefined): KeyLayout {
  if (liesInRanges(model.mode)) return 'ranges';
  const bytes = Number((base && currentSnapshot(base))?.summary['total-files-size'] ?? 0);
  return rebuiltBuckets(model.mode, was === 'ranges' ? 1 : was, bytes);
}

/** Of a keyed table whose keys lie in ranges the column by which they do: no other order is kept by a merge. */
export function rangedBy(spec: PipelineSpec, { layer, name }: TableId, metadata: TableMetadata): string | undefined {
  const model = spec.models.find((one) => one.layer === layer && one.name === name);
  const isRanged = model !== undefined && isKeyed(model) && currentSpec(metadata).fields.length === 0;
  return isRanged ? model.mode.key[0] : undefined;
}
