import { AuditFailed } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { TableShape } from '../../core/run.ts';
import type { PipelineSpec, SilverModel } from '../../core/spec.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { staysAsItIs, type TableChange } from '../../plan/table-changes.ts';
import type { StepDeps } from '../deps.ts';
import { findModeConflicts } from './table-mode.ts';
import { keyedShapes, layoutOf, shapeOf } from './table-shape.ts';
import { findMisfits, planTarget } from './target.ts';

type Tables = ReadonlyMap<string, { readonly metadata: TableMetadata } | undefined>;

/**
 * The changes, and of each that asks for a backfill whether rows of now could stand beside those that are there without it. One that would
 * leave rows as they are asks for a backfill too where the table has columns, by drift say, that those of now cannot follow from.
 */
export function tellApart(
  deps: Pick<StepDeps, 'store' | 'ids'>,
  spec: PipelineSpec,
  tables: Tables,
  changes: readonly TableChange[],
): readonly TableChange[] {
  const conflicts = new Set(findModeConflicts(spec, tables).map(({ model }) => model));
  return changes.map((change) => {
    const model = spec.models.find(({ id }) => id === change.model);
    const base = tables.get(change.model)?.metadata;
    if (staysAsItIs(change) || model?.layer !== 'silver' || base === undefined) return change;
    if (change.kind === 'backfill') {
      return conflicts.has(model.id) || !standsBeside(deps, spec, model, base) ? { ...change, apart: true } : change;
    }
    const free = conflicts.has(model.id) || model.mode.kind === 'full';
    const misfits = free ? [] : findMisfits(base, shapeBeside(deps, spec, model, base));
    return misfits.length === 0
      ? change
      : { ...change, kind: 'backfill', what: [...change.what, ...misfits], apart: true };
  });
}

/**
 * By the id of a model whose table is to be made anew: why that cannot be, and what can. No column goes, or takes another type, by
 * which a table is or was partitioned.
 */
export function findStuck(
  deps: Pick<StepDeps, 'store' | 'ids'>,
  spec: PipelineSpec,
  tables: Tables,
  changes: readonly TableChange[],
): ReadonlyMap<string, string> {
  const stuck = new Map<string, string>();
  for (const { model: id, kind } of changes) {
    const model = spec.models.find((one) => one.id === id);
    const base = tables.get(id)?.metadata;
    if (model === undefined || base === undefined || isKeyed(model)) continue;
    if (kind !== (model.layer === 'gold' ? 'recompute' : 'backfill')) continue;
    try {
      planTarget(deps.store, base, { ...shapeOf(deps, spec, model, []), whole: true });
    } catch (error) {
      if (!(error instanceof AuditFailed)) throw error;
      stuck.set(id, error.message);
    }
  }
  return stuck;
}

function standsBeside(
  deps: Pick<StepDeps, 'store' | 'ids'>,
  spec: PipelineSpec,
  model: SilverModel,
  base: TableMetadata,
): boolean {
  if (model.mode.kind === 'full') return true;
  const shape = shapeBeside(deps, spec, model, base);
  try {
    const target = planTarget(deps.store, base, shape);
    return model.mode.kind !== 'replace' || target.spec['spec-id'] === currentSpec(base)['spec-id'];
  } catch (error) {
    if (error instanceof AuditFailed) return false;
    throw error;
  }
}

function shapeBeside(
  deps: Pick<StepDeps, 'ids'>,
  spec: PipelineSpec,
  model: SilverModel,
  base: TableMetadata,
): TableShape {
  return isKeyed(model)
    ? keyedShapes(deps, spec, model, layoutOf(model, base, 0)).shape
    : shapeOf(deps, spec, model, []);
}
