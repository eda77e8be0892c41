import type { RunRef, RunResult } from '../core/run.ts';
import { readBell } from '../lake/gate/gate-folder.ts';
import { LONGEST_RUN_ID, readJsonIfAny, runFolder } from '../lake/run/run-folder.ts';
import type { Executions, Ids, ObjectStore } from '../ports.ts';

export type CarryOutDeps = {
  readonly store: ObjectStore;
  readonly executions: Executions;
  /** Wakes who waits with a token; false where nobody does any more. */
  readonly wake: (token: string) => Promise<boolean>;
  readonly ids: Pick<Ids, 'unique'>;
  readonly wait: (ms: number) => Promise<void>;
};

const LOOK_MS = 3_000;
/** A quarter of an hour: publishing is one call, and what was staged is not done again. */
const LOOKS = 300;

/**
 * Has a run published or undone that was decided about: by the execution that waits for that, or by another where none does. Answers its
 * result, or undefined where it has none after a quarter of an hour; the decision stays, and whichever execution comes next carries it out.
 */
export async function carryOut(deps: CarryOutDeps, run: RunRef): Promise<RunResult | undefined> {
  const result = (): Promise<RunResult | undefined> => readJsonIfAny<RunResult>(deps.store, runFolder.result(run));
  const before = await result();
  if (before !== undefined) return before;
  const bell = await readBell(deps.store, run);
  if (bell === undefined || !(await deps.wake(bell.token))) await startFor(deps, run);
  for (let look = 0; look < LOOKS; look += 1) {
    const found = await result();
    if (found !== undefined) return found;
    await deps.wait(LOOK_MS);
  }
  return undefined;
}

/** Under a name of its own: that of the run is used up. */
async function startFor({ executions, ids }: CarryOutDeps, { pipeline, run_id }: RunRef): Promise<void> {
  const suffix = `-decided-${ids.unique()}`;
  const name = `${run_id.slice(0, LONGEST_RUN_ID - suffix.length)}${suffix}`;
  await executions.start(name, { pipeline, run_id, dry_run: false, wait: true });
}
