/** Of fewer values a 95th percentile is one of the two highest, which says little. */
export const FEW = 20;

export type Durations = {
  readonly n: number;
  /** Milliseconds; null of no values. */
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  /** There are fewer than 20. */
  readonly few: boolean;
};

export function durationsOf(values: readonly number[]): Durations {
  return {
    n: values.length,
    mean: mean(values),
    p50: quantile(values, 0.5),
    p95: quantile(values, 0.95),
    few: values.length < FEW,
  };
}

/** Null of no values. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The value below which a share of the values lies, by linear interpolation between order statistics, as DuckDB's quantile_cont has
 * it; null of no values. Source: Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), definition 7.
 */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (low === undefined || high === undefined) return null;
  return low + (high - low) * (place - Math.floor(place));
}

/** Percent; null of nothing. */
export function percentOf(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}
