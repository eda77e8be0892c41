import { createHash } from 'node:crypto';
import { implementedBy, readByAny } from '../../core/implementations.ts';
import type { Shadow } from '../../core/parity.ts';
import type { GoldModel, PipelineSpec } from '../../core/spec.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { describeGold } from '../tables/gold-inputs.ts';

/** What binds a comparison to the texts that were compared, whichever of them makes the table, and to the snapshots that they read. */
export function digestOf(
  spec: Pick<PipelineSpec, 'runAt'>,
  model: GoldModel,
  { left, right }: Shadow,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): string {
  const sides = [left, right].sort().map((name) => {
    const one = implementedBy(model, name);
    return [name, describeGold(spec, { ...one, reads: readByAny(model) }, states)];
  });
  return createHash('sha256')
    .update(JSON.stringify([model.id, ...sides]))
    .digest('hex');
}
