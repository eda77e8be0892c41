import { type Finding, fail, ok, warn } from './finding.ts';

/** Of clocks that agree; a file or an answer is on its way meanwhile. */
const AGREES_MS = 5_000;

/** Whether two clocks agree: this process's and another, `whose`; `mostMs` is how far apart they may be and still work. */
export function compareClocks(here: Date, there: Date, whose: string, mostMs: number): Finding {
  const apart = here.getTime() - there.getTime();
  const seconds = Math.round(Math.abs(apart) / 1000);
  if (Math.abs(apart) <= AGREES_MS) return ok('clock', `agrees with ${whose}`);
  const found = `${seconds} s ${apart > 0 ? 'ahead of' : 'behind'} ${whose}`;
  const advice = 'set the clock of this machine by a time server';
  return Math.abs(apart) > mostMs ? fail('clock', found, advice) : warn('clock', found, advice);
}
