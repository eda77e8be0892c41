import { formatDuration } from './human.ts';
import type { Judged, PromiseName } from './slo.ts';

/** A promise in words, cell by cell. */
export type PromiseText = {
  readonly promise: string;
  readonly state: Judged['state'];
  readonly now: string;
  readonly target: string;
  readonly objective: string;
  readonly attained: string;
  readonly left: string;
};

const TITLES: Readonly<Record<PromiseName, string>> = {
  freshness: 'freshness',
  ready: 'day is ready',
  successRate: 'success rate',
  p95: 'p95',
  quarantineRate: 'rejected rows',
  mttr: 'mean time to repair',
};

export function describePromise(judged: Judged): PromiseText {
  const { name, state, actual, target, objective, attained, budget_left } = judged;
  const limit = name === 'successRate' ? '>=' : '<=';
  return {
    promise: TITLES[name],
    state,
    now: actual === null ? '-' : formatFigure(name, actual),
    target: typeof target === 'string' ? target : `${limit} ${formatFigure(name, target)}`,
    objective: formatPercent(objective),
    attained: formatPercent(attained),
    left: formatPercent(budget_left),
  };
}

function formatFigure(name: PromiseName, value: number): string {
  switch (name) {
    case 'freshness':
    case 'p95':
    case 'mttr':
      return formatDuration(value);
    case 'ready':
    case 'successRate':
    case 'quarantineRate':
      return formatPercent(value);
  }
}

/** Never rounded up to what it is not: 99.96 % is not all. */
export function formatPercent(percent: number | null): string {
  return percent === null ? '-' : `${Math.floor(percent * 10) / 10} %`;
}
