import { engineOf } from '../../../core/implementations.ts';
import type { PartitionText } from '../../../core/run.ts';
import type { GoldModel } from '../../../core/spec.ts';
import type { StepDeps } from '../../../lake/deps.ts';
import { knownPartitions } from '../../../lake/engines/known-partitions.ts';
import type { States } from '../../../lake/ladder/sized-tables.ts';
import { type EngineWork, engineUnits } from '../../../plan/engine-units.ts';
import { canAskFor } from '../../../sql/engines/partitions.ts';

type Inputs = { readonly states: States; readonly touched: readonly PartitionText[] | null };

/**
 * The units of a model that an engine computes. Where nobody knows its partitions before the engine is asked, there is one, and its
 * statements have the time of one. Spark writes to any number of partitions at once.
 */
export async function planByEngine(
  { store, log }: Pick<StepDeps, 'store' | 'log'>,
  model: GoldModel,
  { states, touched }: Inputs,
): Promise<readonly EngineWork[]> {
  const asks = engineOf(model) !== 'spark' && canAskFor({ fields: model.partitionBy, columns: model.columns });
  const known = touched === null && asks ? await knownPartitions(store, model, states) : [];
  const units = engineUnits(touched, known);
  log.info('an engine computes', { model: model.id, units: units.length, known_partitions: known.length });
  return units;
}
