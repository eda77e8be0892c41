import { describedProperties, withDescriptions } from '../../core/described.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import { isKeyed, keyBuckets, liesInRanges, logColumns, logModelId, logTable } from '../../core/keyed.ts';
import { rulesOf } from '../../core/maintenance-rules.ts';
import { PERSONAL_COLUMNS } from '../../core/personal.ts';
import type { TableShape } from '../../core/run.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import type { TableId } from '../../core/tables.ts';
import type { Column } from '../../core/types.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { withRenamed } from '../../iceberg/rename.ts';
import { columnsOf, currentSchema, fieldByName } from '../../iceberg/schema.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import { parseTransform } from '../../iceberg/transforms.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { chosenBuckets, grownBuckets, rebuiltBuckets } from '../../plan/buckets.ts';
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
  const columns = [...tableColumns(model), ...added];
  return {
    id: model.id,
    table: tableIdOf(spec, model),
    columns: withDescriptions(columns, model.described),
    partitionBy: model.partitionBy,
    sortBy: model.sortBy,
    uuid: deps.ids.uuid(),
    ...(model.renamed === undefined ? {} : { renamed: model.renamed }),
    // Made by the model as it is in the pipeline, whatever drift has added to it in this run.
    properties: {
      ...modeProperties(model),
      ...madeProperties(spec, findModel(spec, model.id)),
      ...(model.personal === undefined ? {} : { [PERSONAL_COLUMNS]: JSON.stringify(model.personal) }),
      ...describedProperties(columns, model.described),
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
    columns: withDescriptions(logColumns(model.mode, model.columns), model.described),
    sortBy: [],
    uuid: deps.ids.uuid(),
  };
  return { shape, log };
}

/** How the keys of a keyed table lie: as it was made, else as the model asks for, else in buckets by the size that it is likely to get. */
export function layoutOf(
  model: KeyedModel,
  base: TableMetadata | undefined,
  bytes: number,
  fileBytes?: number,
): KeyLayout {
  const [field] = base === undefined ? [] : currentSpec(base).fields;
  const transform = field === undefined ? undefined : parseTransform(field.transform);
  if (transform?.kind === 'bucket') return transform.width;
  if (base === undefined ? liesInRanges(model) : field === undefined) return 'ranges';
  return chosenBuckets(model.mode, bytes, fileBytes);
}

/** Of a keyed table whose keys lie in ranges the column by which they do, as the table calls it: no other order is kept by a merge. */
export function rangedBy(spec: PipelineSpec, { layer, name }: TableId, metadata: TableMetadata): string | undefined {
  const model = spec.models.find((one) => one.layer === layer && one.name === name);
  if (model === undefined || !isKeyed(model) || currentSpec(metadata).fields.length > 0) return undefined;
  // Maintenance may come before the run that gives a column its new name.
  const now = fieldByName(currentSchema(withRenamed(metadata, model.renamed)), model.mode.key[0] ?? '');
  return currentSchema(metadata).fields.find((field) => field.id === now?.id)?.name;
}

type LayoutWork = {
  /** That the table is likely to have, where it is new. */
  readonly bytes: number;
  readonly rebuild: boolean;
  readonly anew: boolean;
  /** Only partitions of a time are made. */
  readonly window: boolean;
};

/**
 * How they lie after a run: as they do, as a rebuild finds that they should, or in more buckets where a table has outgrown those that it has
 * (`grown_from`), which it does not without maintenance.
 */
export function planLayout(
  spec: PipelineSpec,
  model: KeyedModel,
  base: TableMetadata | undefined,
  { bytes, rebuild, anew, window }: LayoutWork,
): { readonly layout: KeyLayout; readonly grown_from?: number } {
  const { fileBytes } = spec.settings;
  const was = layoutOf(model, anew ? undefined : base, bytes, fileBytes);
  if (rebuild) return { layout: rebuiltLayout(model, was, base, fileBytes) };
  if (base === undefined || anew || window || was === 'ranges' || rulesOf(spec) === undefined) return { layout: was };
  const grown = grownBuckets(model.mode, was, bytesOf(base), fileBytes);
  return grown === undefined ? { layout: was } : { layout: grown, grown_from: was };
}

function rebuiltLayout(
  model: KeyedModel,
  was: KeyLayout,
  base: TableMetadata | undefined,
  fileBytes: number,
): KeyLayout {
  if (liesInRanges(model)) return 'ranges';
  return rebuiltBuckets(model.mode, was === 'ranges' ? 1 : was, bytesOf(base), fileBytes);
}

function bytesOf(base: TableMetadata | undefined): number {
  return Number((base && currentSnapshot(base))?.summary['total-files-size'] ?? 0);
}
