import type { PartitionText } from '../core/run.ts';
import { packInOrder } from './pack.ts';

/** Athena writes to so many partitions at once. Source: docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html */
export const MOST_PARTITIONS = 100;

/** What a unit of a model has an engine compute: some partitions, or all but those that other units have. */
export type EngineWork = {
  readonly partitions: readonly PartitionText[] | null;
  readonly except?: readonly PartitionText[];
};

/**
 * The units of a model that an engine computes, each of as many partitions as a statement takes. Where all of the table is computed,
 * `known` are those that there may be: what else there is goes to a last unit, which asks the engine for it, as does the only one where no
 * more are known than one statement takes.
 */
export function engineUnits(
  touched: readonly PartitionText[] | null,
  known: readonly PartitionText[],
): readonly EngineWork[] {
  if (touched !== null) return shareOut(touched).map((partitions) => ({ partitions }));
  if (known.length <= MOST_PARTITIONS) return [{ partitions: null }];
  return [...shareOut(known).map((partitions) => ({ partitions })), { partitions: null, except: known }];
}

/** As many at a time as one statement takes. */
export function shareOut(partitions: readonly PartitionText[]): readonly (readonly PartitionText[])[] {
  return packInOrder(partitions, MOST_PARTITIONS, () => 1);
}

/** Those that others do not have. */
export function without(
  partitions: readonly PartitionText[],
  others: readonly PartitionText[],
): readonly PartitionText[] {
  const had = new Set(others.map((one) => JSON.stringify(one)));
  return partitions.filter((one) => !had.has(JSON.stringify(one)));
}
