import { addSpent, type Measured, NOTHING_SPENT, type Requests } from '../../core/requests.ts';
import type { StepDeps } from '../deps.ts';

/** What a fenced write asks for: a look at the lock, and the write. A record counts its own writing in advance. */
export const RECORDING: Requests = { get: 1, put: 1 };

/** Begins to measure a call of a step. What comes after the record that holds the measure is named as `later`. */
export function startMeasuring({
  clock,
  spent,
  within,
}: Pick<StepDeps, 'clock' | 'spent' | 'within'>): (later?: Requests) => Measured {
  const started = clock.now().getTime();
  return (later) => {
    const ms = clock.now().getTime() - started;
    const measured = within === undefined ? { ms } : { ms, within };
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
  };
}
