import type { ModelPlan } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import { partitionTuple } from '../../iceberg/partition.ts';
import type { DataFile } from '../../iceberg/types.ts';
import { type ModelOutcome, saysWhatIsThere } from '../../lake/run/unit-result.ts';
import type { Target } from '../../lake/tables/target.ts';
import type { Removal } from '../../table/removal.ts';

/** What the new files of a table that keeps no log take the place of. */
export function removalOf(
  planned: ModelPlan,
  model: ModelSpec,
  outcome: ModelOutcome,
  added: readonly DataFile[],
  target: Target,
): Removal {
  const existing = target.create === undefined;
  if (model.layer === 'gold') return existing ? goldRemoval(planned, target) : { kind: 'nothing' };
  const ingested = saysWhatIsThere([outcome]);
  switch (model.mode.kind) {
    case 'append':
    case 'upsert':
    case 'scd2':
      return { kind: 'nothing' };
    case 'full':
      return existing && ingested ? { kind: 'all' } : { kind: 'nothing' };
    case 'replace': {
      if (!existing || added.length === 0) return { kind: 'nothing' };
      return target.spec.fields.length === 0
        ? { kind: 'all' }
        : { kind: 'partitions', tuples: distinct(added.map((file) => file.partition)) };
    }
  }
}

function goldRemoval({ touched }: ModelPlan, { spec, schema }: Target): Removal {
  if (touched === null) return { kind: 'all' };
  if (touched.length === 0) return { kind: 'nothing' };
  return { kind: 'partitions', tuples: touched.map((texts) => partitionTuple(spec, schema, texts)) };
}

function distinct(tuples: readonly DataFile['partition'][]): DataFile['partition'][] {
  const text = (tuple: DataFile['partition']): string =>
    JSON.stringify(tuple, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return [...new Map(tuples.map((tuple) => [text(tuple), tuple])).values()];
}
