import type { Gated } from '../core/promote.ts';
import { addRequests, NOTHING_SPENT, type Requests, times } from '../core/requests.ts';
import type { StepTiming } from '../core/run.ts';
import { CALLS } from './run-requests.ts';
import type { Rates } from './run-work.ts';

/** Of a table that was prepared: what a call of Gate reads of it, to tell that it is as it was. */
const TABLE: Requests = { get: 7, put: 0 };
/** Of a level that is done: what is asked by a call of Level that finds that. */
const LEVEL: Requests = { get: 12, put: 2 };

/** What a gate adds to the requests of its calls, and of the calls of others. */
export type GateRequests = { readonly Gate: Requests; readonly Level: Requests };

export function requestsOfGate(gate: Gated | undefined, tables: number, levels: number): GateRequests {
  switch (gate) {
    case undefined:
      return { Gate: times(TABLE, 0), Level: times(LEVEL, 0) };
    case 'passed':
      return { Gate: times(TABLE, tables), Level: times(LEVEL, 0) };
    case 'waited':
      return { Gate: times(TABLE, 2 * tables), Level: times(LEVEL, levels) };
  }
}

/** The calls that a run had beyond those that its steps tell of, as they are taken to be. */
export function timingsOfGate(
  gate: Gated | undefined,
  { tables, levels }: { readonly tables: number; readonly levels: number },
  { requestMs }: Pick<Rates, 'requestMs'>,
): readonly StepTiming[] {
  if (gate === undefined) return [];
  const timing = (step: string, { get, put }: Requests): StepTiming => {
    return { step, level: null, units: 0, ms: (get + put) * requestMs, spent: { ...NOTHING_SPENT, get, put } };
  };
  const call = timing('Gate', addRequests(CALLS.Gate, times(TABLE, tables)));
  const again = [timing('Open', CALLS.Open), timing('Level', addRequests(CALLS.Level, times(LEVEL, levels))), call];
  return gate === 'passed' ? [call] : [call, ...again];
}
