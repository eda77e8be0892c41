import { addSpent, type Measured, NOTHING_SPENT, type Requests } from '../../core/requests.ts';
import type { StepDeps } from '../deps.ts';

/** What a fenced write asks for: a look at the lock, and the write. A record counts its own writing in advance. */
export const RECORDING: Requests = { get: 1, put: 1 };

/** Begins to measure a call of a step. What comes after the record that holds the measure is named as `later`. */
export function startMeasuring({
  clock,
  spent,
  within,
  peakMemory,
  watchSpill,
}: Pick<StepDeps, 'clock' | 'spent' | 'within' | 'peakMemory' | 'watchSpill'>): (later?: Requests) => Measured {
  const started = clock.now();
  const spilled = watchSpill?.();
  return (later) => {
    const ended = clock.now();
    const span = { from: started.toISOString(), to: ended.toISOString() };
    const measured = {
      ms: ended.getTime() - started.getTime(),
      span,
      ...(within === undefined ? {} : { within }),
      ...(peakMemory === undefined ? {} : { peak_bytes: peakMemory() }),
      ...(spilled === undefined ? {} : { spilled_bytes: spilled() }),
    };
    return spent === undefined ? measured : { ...measured, spent: addSpent(spent(), { ...NOTHING_SPENT, ...later }) };
  };
}

/**
 * Measures of several calls as one; what was spent is known only if all of them know it, and they were within another call
 * only if all of them were.
 */
export function addMeasured(all: readonly Measured[]): Measured {
  const ms = all.reduce((sum, one) => sum + one.ms, 0);
  const known = all.flatMap(({ spent }) => (spent === undefined ? [] : [spent]));
  const [first] = all;
  const within = all.every((one) => one.within === first?.within) ? first?.within : undefined;
  return {
    ms,
    ...(known.length < all.length ? {} : { spent: known.reduce(addSpent, NOTHING_SPENT) }),
    ...(within === undefined ? {} : { within }),
    ...spanOf(all),
    ...peakOf(all, 'peak_bytes'),
    ...peakOf(all, 'spilled_bytes'),
  };
}

/** From the first beginning to the last end. */
function spanOf(all: readonly Measured[]): Pick<Measured, 'span'> {
  const spans = all.flatMap(({ span }) => (span === undefined ? [] : [span]));
  const from = spans.map((span) => span.from).sort()[0];
  const to = spans
    .map((span) => span.to)
    .sort()
    .at(-1);
  return from === undefined || to === undefined ? {} : { span: { from, to } };
}

function peakOf(all: readonly Measured[], name: 'peak_bytes' | 'spilled_bytes'): Partial<Measured> {
  const peaks = all.flatMap((one) => one[name] ?? []);
  return peaks.length === 0 ? {} : { [name]: Math.max(...peaks) };
}
