import type { RunAnswer } from '../remote/run-request.ts';

export type Turns = {
  readonly wait: (ms: number) => Promise<void>;
  readonly now: () => number;
  /** Called once, with what the lock says, when the waiting begins. */
  readonly onWait: (message: string) => void;
};

const POLL_MS = 1_000;

/**
 * Asks for a run again and again while another run holds the pipeline, for `waitMs` milliseconds (Infinity: until it
 * is its turn), and answers what came of it: 'locked' when the time is over.
 */
export async function awaitTurn(
  ask: () => Promise<RunAnswer>,
  waitMs: number,
  { wait, now, onWait }: Turns,
): Promise<RunAnswer> {
  const deadline = now() + waitMs;
  let waited = false;
  for (;;) {
    const answer = await ask();
    const left = deadline - now();
    if (answer.kind !== 'locked' || left <= 0) return answer;
    if (!waited) onWait(answer.message);
    waited = true;
    await wait(Math.min(POLL_MS, left));
  }
}
