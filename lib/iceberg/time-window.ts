import { MICROS_PER_DAY } from './calendar.ts';
import { resolveSpec } from './partition.ts';
import { applyTransform, type IcebergTransform } from './transforms.ts';
import type { IcebergType, IcebergValue, PartitionSpec, Schema } from './types.ts';

/** From an instant to another, in microseconds since the epoch (UTC); without one of them open on its side. */
export type TimeWindow = { readonly from?: bigint; readonly to?: bigint };

/** Which partitions of a table lie in a window, or why that cannot be said. */
export type WindowPlan =
  | { readonly kind: 'window'; readonly holds: (tuple: readonly IcebergValue[]) => boolean }
  | { readonly kind: 'refused'; readonly reason: string };

const UNITS = ['year', 'month', 'day', 'hour'];

/**
 * The partitions of a spec whose time lies in the window, by its first field over a time. A partition lies in it as a whole
 * or not at all: an end within a partition is refused. Rows without a time lie in none.
 */
export function planWindow(spec: PartitionSpec, schema: Schema, window: TimeWindow): WindowPlan {
  const fields = resolveSpec(spec, schema);
  const at = fields.findIndex(({ transform, source }) => isTime(transform, source));
  const field = fields[at];
  if (field === undefined) return { kind: 'refused', reason: 'it is not partitioned by a time' };
  const { transform, source } = field;
  const bounds = [window.from, window.to].map((instant) =>
    instant === undefined ? undefined : { instant, place: placeOf(transform, source, instant) },
  );
  const within = bounds.find((one) => one !== undefined && !begins(transform, source, one.instant));
  if (within !== undefined) {
    const unit = transform.kind === 'identity' ? 'day' : transform.kind;
    return { kind: 'refused', reason: `it is partitioned by ${unit}, and ${isoOf(within.instant)} is within one` };
  }
  const [from, to] = bounds.map((one) => one?.place);
  return {
    kind: 'window',
    holds: (tuple) => {
      const value = tuple[at] ?? null;
      if (typeof value !== 'number' && typeof value !== 'bigint') return false;
      return (from === undefined || value >= from) && (to === undefined || value < to);
    },
  };
}

function isTime(transform: IcebergTransform, source: IcebergType): boolean {
  const time = source === 'date' || source === 'timestamp' || source === 'timestamptz';
  return UNITS.includes(transform.kind) || (transform.kind === 'identity' && time);
}

/** The value that rows of an instant have in the field; counts of units since 1970 for all but `identity` of a timestamp. */
function placeOf(transform: IcebergTransform, source: IcebergType, instant: bigint): number | bigint {
  const value = source === 'date' ? Number(floorDays(instant)) : instant;
  const place = applyTransform(transform, source, value);
  if (typeof place === 'number' || typeof place === 'bigint') return place;
  throw new RangeError(`a partition of ${JSON.stringify(source)} has the value ${String(place)}`);
}

/** Whether a partition begins with the instant. */
function begins(transform: IcebergTransform, source: IcebergType, instant: bigint): boolean {
  if (source === 'date' && instant % MICROS_PER_DAY !== 0n) return false;
  return placeOf(transform, source, instant) !== placeOf(transform, source, instant - 1n);
}

function floorDays(instant: bigint): bigint {
  const days = instant / MICROS_PER_DAY;
  return instant % MICROS_PER_DAY < 0n ? days - 1n : days;
}

function isoOf(instant: bigint): string {
  return new Date(Number(instant / 1000n)).toISOString();
}
