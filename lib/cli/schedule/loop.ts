import { type Branch, firstAfter } from '../../core/schedule/branch.ts';

/** A branch that is followed. */
export type Followed = { readonly pipeline: string; readonly branch: Branch };

export type LoopDeps = {
  readonly now: () => Date;
  /** Resolves after so many milliseconds; throws when the command is to end. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Those that have something to do already. */
  readonly due: () => Promise<readonly Followed[]>;
  /** Runs a branch, and answers the exit code. */
  readonly run: (one: Followed) => Promise<number>;
};

/** A clock that is put forward, or a machine that slept, is noticed after so long. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Runs branches when their schedules fire, and before that those that are due already, until it is told to end or none fires any more. Those
 * that fire together run one after the other, as they are listed. Answers the worst exit code. `once`: only what is due.
 */
export async function followBranches(
  followed: readonly Followed[],
  { once }: { readonly once: boolean },
  deps: LoopDeps,
): Promise<number> {
  // What fires while others run is not missed.
  let since = deps.now();
  let code = await runAll(await deps.due(), deps);
  while (!once) {
    const next = followed.map(({ branch }) => firstAfter(branch, since)).filter((at) => at !== undefined);
    if (next.length === 0) return code;
    const at = new Date(Math.min(...next.map((one) => one.getTime())));
    await sleepUntil(at, deps);
    const now = deps.now();
    const fired = followed.filter(({ branch }) => (firstAfter(branch, since)?.getTime() ?? Infinity) <= now.getTime());
    since = now;
    code = Math.max(code, await runAll(fired, deps));
  }
  return code;
}

async function runAll(all: readonly Followed[], { run }: LoopDeps): Promise<number> {
  let code = 0;
  for (const one of all) code = Math.max(code, await run(one));
  return code;
}

async function sleepUntil(at: Date, { now, sleep }: LoopDeps): Promise<void> {
  for (let left = at.getTime() - now().getTime(); left > 0; left = at.getTime() - now().getTime()) {
    await sleep(Math.min(left, LONGEST_SLEEP_MS));
  }
}
