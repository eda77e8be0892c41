/** What is worked on at the same time in one process. */
export type Turns = {
  /** How much is worked on at once, at most. */
  readonly atOnce: number;
  /** Whether nothing else is worked on while what asks is. */
  readonly alone: () => boolean;
  /** Acts beside others; what fails beside them is done again when it is alone, and fails then only for what it does itself. */
  readonly take: <T>(act: () => Promise<T>) => Promise<T>;
};

/** Something went wrong beside others, of which any may be to blame: it says nothing until it is tried alone. */
export class NotAlone extends Error {
  override readonly name = 'NotAlone';
}

/** Throws NotAlone where others are worked on as well. */
export function requireAlone(turns: Turns | undefined, why: string): void {
  if (turns?.alone() === false) throw new NotAlone(why);
}

/**
 * Turns of work that shares memory and processors. What has to be alone waits for all that has begun, and nothing new begins
 * beside it.
 */
export function createTurns(atOnce: number): Turns {
  const beside = new Set<Promise<unknown>>();
  let last: Promise<unknown> = Promise.resolve();
  let [waiting, working, alone] = [0, 0, false];

  const takeAlone = <T>(act: () => Promise<T>): Promise<T> => {
    waiting += 1;
    const turn = last.then(async () => {
      await Promise.allSettled(beside);
      alone = true;
      try {
        return await act();
      } finally {
        alone = false;
        waiting -= 1;
      }
    });
    last = turn.catch(() => {});
    return turn;
  };
  const takeBeside = async <T>(act: () => Promise<T>): Promise<T> => {
    working += 1;
    const work = act();
    beside.add(work);
    try {
      return await work;
    } finally {
      beside.delete(work);
      working -= 1;
    }
  };
  return {
    atOnce,
    // What has no turn at all, as a step of no units, is alone as long as nothing has one.
    alone: () => alone || working === 0,
    async take(act) {
      if (atOnce === 1) return act();
      while (waiting > 0) await last;
      try {
        return await takeBeside(act);
      } catch {
        return await takeAlone(act);
      }
    },
  };
}
