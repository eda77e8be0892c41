import type { Expectation, ExpectationPolicy } from './expectation.ts';

/** What is expected of a table, and what became of that the last time it was asked. */
export type TestFact = {
  /** By full name. */
  readonly table: string;
  readonly name: string;
  readonly kind: Expectation['kind'];
  readonly policy: ExpectationPolicy;
  /** In the words of the pipeline. */
  readonly expects: string;
  /** `unknown`: it has not been asked yet, or nothing is kept of when it was. */
  readonly outcome: 'held' | 'broken' | 'unknown';
  /** What the run said of it; null where it held. */
  readonly said: string | null;
  readonly run_id: string | null;
  readonly at: string | null;
};

/** What an expectation asks for. */
export function expectsOf(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'row':
      return expectation.condition;
    case 'unique':
      return `unique ${expectation.columns.join(', ')}`;
    case 'rowCount': {
      const { min, max } = expectation;
      const bounds = [...(min === null ? [] : [`at least ${min}`]), ...(max === null ? [] : [`at most ${max}`])];
      return `${bounds.join(' and ')} rows`;
    }
    case 'sql':
      return expectation.query;
  }
}
