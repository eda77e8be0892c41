import { createHash } from 'node:crypto';
import type { GoldModel } from '../../core/spec.ts';
import { modelId } from '../../core/spec.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';

/** Snapshot summary keys that say what a gold table was computed from. */
export const INPUTS = 'strata.inputs';
export const MODEL_HASH = 'strata.model-hash';

/** The snapshot of every input, as recorded in the summary of the snapshot computed from them. */
export function describeInputs(model: GoldModel, states: ReadonlyMap<string, TableMetadata | undefined>): string {
  const inputs = model.reads.map((ref) => [modelId(ref), snapshotText(states.get(modelId(ref)))] as const);
  return JSON.stringify(Object.fromEntries(inputs));
}

/** Changes when the model's SQL, the values of its variables, columns or layout change. */
export function hashModel(model: GoldModel): string {
  const text = JSON.stringify([
    model.sql,
    model.columns,
    model.partitionBy,
    model.sortBy,
    ...(model.vars ? [model.vars] : []),
  ]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Why a gold model has to be computed, or `undefined` when its table is up to date with its inputs. */
export function goldReason(
  model: GoldModel,
  gold: TableMetadata | undefined,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): string | undefined {
  const summary = gold === undefined ? undefined : currentSnapshot(gold)?.summary;
  if (summary === undefined) return 'the table does not exist yet';
  if (summary[MODEL_HASH] !== hashModel(model)) return 'the model has changed';
  const changed = gold === undefined ? [] : changedInputs(model, gold, states);
  return changed.length === 0 ? undefined : `${changed.join(', ')} changed`;
}

/** The snapshot of an input that the gold table was last computed from, or `undefined` when that is not known. */
export function inputBefore(gold: TableMetadata, id: string): bigint | undefined {
  const inputs = currentSnapshot(gold)?.summary[INPUTS];
  const before = inputs === undefined ? null : ((JSON.parse(inputs) as Record<string, string | null>)[id] ?? null);
  return before === null ? undefined : BigInt(before);
}

/** Inputs whose snapshot is another one than before. */
export function changedInputs(
  model: GoldModel,
  gold: TableMetadata,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): readonly string[] {
  const ids = model.reads.map(modelId);
  return ids.filter((id) => (inputBefore(gold, id)?.toString() ?? null) !== snapshotText(states.get(id)));
}

function snapshotText(metadata: TableMetadata | undefined): string | null {
  const snapshot = metadata === undefined ? undefined : currentSnapshot(metadata);
  return snapshot === undefined ? null : snapshot['snapshot-id'].toString();
}
