/** One side of a comparison in one round. */
export type Sample = {
  /** From before the process starts until it is gone. */
  readonly ms: number;
  /** Processor time of all its threads in milliseconds; null where it was not measured. */
  readonly cpuMs: number | null;
  /** Largest resident memory of the process, in bytes; null where it was not measured. */
  readonly peakBytes: number | null;
};

/** One line of the results. `bound` is null for a figure that is shown and not judged. */
export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: 'x' | 'GB' | 's' | '%' | 'files' | 'objects';
  readonly bound: number | null;
  /** What the value was worked out from, such as `2.81 s to 2.02 s`. */
  readonly detail: string;
  /** Where the time or the memory goes: told where the bound is missed. */
  readonly why?: string;
};

/** The middle value, or the mean of the two middle ones. Throws RangeError for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1];
  const high = sorted[Math.floor(middle)];
  if (low === undefined || high === undefined) throw new RangeError('the median of no values');
  return (low + high) / 2;
}

/**
 * Median over rounds of one side's time divided by the other's in the same round, so that whatever else the machine did
 * in a round weighs on both sides. Throws RangeError unless both have the same number of rounds, at least one.
 */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) throw new RangeError(`${ours.length} rounds against ${theirs.length}`);
  return median(ours.map((value, i) => value / (theirs[i] ?? Number.NaN)));
}

/** Median of the values at positions `center - reach` to `center + reach`, counted from 1. */
export function medianAround(values: readonly number[], center: number, reach: number): number {
  return median(values.slice(Math.max(0, center - reach - 1), center + reach));
}

/** `held`, by how much the bound was missed, or `-` where there is none. */
export function judge({ value, unit, bound }: Figure): string {
  if (bound === null) return '-';
  if (value <= bound) return 'held';
  return `missed by ${(value - bound).toFixed(2)} ${unit}`;
}
