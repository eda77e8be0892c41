import { isKeyed, logModelId } from '../../core/keyed.ts';
import { type ModelSpec, modelId, type PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { rowsSnapshot, snapshotById } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';
import { inputOf } from '../../lake/tables/gold-inputs.ts';
import { modelTables, tableIdOf } from '../../lake/tables/table-state.ts';

/** A table of another pipeline that follows from tables of one: what it reads of those, by the ids under which its model knows them. */
export type Downstream = {
  readonly id: TableId;
  readonly reads: readonly { readonly model: string; readonly table: string }[];
};

/** The tables of a pipeline's models and the logs of keyed ones, each after those that it is made from. */
export function ownTables(spec: PipelineSpec): readonly TableId[] {
  const tables = modelTables(spec);
  return spec.models.flatMap((model) => [
    ...(isKeyed(model) ? [tables.get(logModelId(model)) ?? []].flat() : []),
    ...[tables.get(model.id) ?? []].flat(),
  ]);
}

/** Tables of other pipelines that are computed from tables of one, or from such ones, each after those that it reads. */
export function downstreamOf(spec: PipelineSpec, others: readonly PipelineSpec[]): readonly Downstream[] {
  const reached = new Set(ownTables(spec).map(fullName));
  const found: Downstream[] = [];
  for (const other of others) {
    for (const model of other.models) {
      const reads = readsOf(other, model).filter(({ table }) => reached.has(table));
      if (reads.length === 0) continue;
      const id = tableIdOf(other, model);
      reached.add(fullName(id));
      found.push({ id, reads });
    }
  }
  return found;
}

function readsOf(spec: PipelineSpec, { reads }: ModelSpec): Downstream['reads'] {
  return reads.map((ref) => ({ model: modelId(ref), table: fullName(tableIdOf(spec, ref)) }));
}

/** A table that others were computed from, and its snapshot at a moment. */
export type UpstreamState = { readonly metadata: TableMetadata; readonly snapshot: Snapshot | undefined };

/**
 * The last snapshot of a table that was computed from what its inputs had been by a moment, whenever that was. Undefined where
 * none was.
 */
export function computedBy(
  metadata: TableMetadata,
  { reads }: Downstream,
  upstream: ReadonlyMap<string, UpstreamState>,
): Snapshot | undefined {
  return metadata['snapshot-log']
    .flatMap((entry) => snapshotById(metadata, entry['snapshot-id']) ?? [])
    .findLast((snapshot) => {
      // Of a rewrite by another engine only what it has rewritten tells.
      const summary = rowsSnapshot(metadata, snapshot)?.summary;
      return reads.every(({ model, table }) => isBy(inputOf(summary, model), upstream.get(table)));
    });
}

/** Whether an input was no younger than it was at the moment. What has expired, or is not told, is older than all there is. */
function isBy(input: bigint | null | undefined, state: UpstreamState | undefined): boolean {
  if (input === null || input === undefined || state === undefined) return true;
  const taken = snapshotById(state.metadata, input);
  if (taken === undefined) return true;
  return state.snapshot !== undefined && taken['sequence-number'] <= state.snapshot['sequence-number'];
}
