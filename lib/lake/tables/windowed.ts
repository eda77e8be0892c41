import type { RunPlan } from '../../core/run.ts';
import { planWindow, type TimeWindow, type WindowPlan } from '../../iceberg/time-window.ts';
import type { IcebergValue, PartitionSpec, Schema } from '../../iceberg/types.ts';
import { isAnew } from './table-state.ts';

type Target = { readonly id: string; readonly schema: Schema; readonly spec: PartitionSpec };

/** The window of a run in which only the partitions of a time are made anew. Times are those of a plan, which are good. */
export function windowOf({ from, to }: NonNullable<RunPlan['window']>): TimeWindow {
  const micros = (iso: string): bigint => BigInt(Date.parse(iso)) * 1000n;
  return { ...(from === undefined ? {} : { from: micros(from) }), ...(to === undefined ? {} : { to: micros(to) }) };
}

/** Which partitions of a table the run makes anew; `undefined`: all, or none. */
export function partitionsAnew(
  plan: Pick<RunPlan, 'window' | 'anew'>,
  target: Target,
): ((tuple: readonly IcebergValue[]) => boolean) | undefined {
  if (plan.window === undefined || !isAnew(plan, target.id)) return undefined;
  const planned: WindowPlan = planWindow(target.spec, target.schema, windowOf(plan.window));
  if (planned.kind === 'refused') throw new RangeError(`${target.id}: ${planned.reason}`);
  return planned.holds;
}
