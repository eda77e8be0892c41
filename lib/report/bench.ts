import { quantile } from './statistics.ts';

/** One mode of a benchmark, as it was run: what its tables differ in from those of the first mode, and how long each run took. */
export type RanMode = {
  readonly mode: string;
  /** What the first mode's tables have and this one's have not, or the other way; empty: the same rows. */
  readonly differences: readonly string[];
  /** Why its run failed; null where it did not. */
  readonly error: string | null;
  readonly runs: readonly { readonly ms: number; readonly cpu_ms: number }[];
};

/** `wrong` modes made other tables, and have no figures: how fast they were says nothing. Times are in ms, ratios to the first mode. */
export type JudgedMode = Pick<RanMode, 'mode' | 'differences' | 'error'> & {
  readonly verdict: 'first' | 'same' | 'wrong' | 'failed';
  readonly ms: number | null;
  readonly cpu_ms: number | null;
  readonly time_ratio: number | null;
  readonly cpu_ratio: number | null;
};

/** Medians of the rounds, and of their ratios, since rounds have the same load and not all have the same. */
export function judgeModes(modes: readonly RanMode[]): readonly JudgedMode[] {
  const [first] = modes;
  return modes.map((one, at): JudgedMode => {
    const { mode, differences, error, runs } = one;
    const said = { mode, differences, error };
    const none = { ms: null, cpu_ms: null, time_ratio: null, cpu_ratio: null };
    if (error !== null) return { ...said, verdict: 'failed', ...none };
    if (differences.length > 0) return { ...said, verdict: 'wrong', ...none };
    return {
      ...said,
      verdict: at === 0 ? 'first' : 'same',
      ms: median(runs.map(({ ms }) => ms)),
      cpu_ms: median(runs.map(({ cpu_ms }) => cpu_ms)),
      time_ratio: ratio(one, first, ({ ms }) => ms),
      cpu_ratio: ratio(one, first, ({ cpu_ms }) => cpu_ms),
    };
  });
}

function ratio(one: RanMode, first: RanMode | undefined, of: (run: RanMode['runs'][number]) => number): number | null {
  const pairs = one.runs.flatMap((run, at) => {
    const base = first?.runs[at];
    return base === undefined || of(base) === 0 ? [] : [of(run) / of(base)];
  });
  return median(pairs);
}

const median = (values: readonly number[]): number | null => quantile(values, 0.5);
