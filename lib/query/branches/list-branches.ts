import { type Branch, firstAfter } from '../../core/schedule/branch.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { knownPeriods } from '../../lake/ops/branches/known-periods.ts';
import { orderBranches } from '../../plan/branches/order.ts';
import { type KnownPeriod, pendingPeriods } from '../../plan/branches/pending.ts';

/** How a branch stands: when it runs next, what was done last, and what a run of it would do now. */
export type BranchStanding = Omit<Branch, 'name'> & {
  readonly pipeline: string;
  readonly branch: string;
  /** ISO instant; null where it never runs again. */
  readonly next: string | null;
  /** The latest period that a run was for. */
  readonly last: KnownPeriod | null;
  /** Periods that are due, the oldest first. */
  readonly due: readonly string[];
  /** Periods that have failed, and that no run tries again unless it is asked for them. */
  readonly given_up: readonly string[];
};

/** The branches of some pipelines, of each in the order in which they run. Writes nothing. */
export async function listBranches(deps: StepDeps, specs: readonly PipelineSpec[]): Promise<readonly BranchStanding[]> {
  const found: BranchStanding[] = [];
  for (const spec of specs) {
    for (const branch of orderBranches(spec)) found.push(await standingOf(deps, spec.name, branch));
  }
  return found;
}

async function standingOf(deps: StepDeps, pipeline: string, branch: Branch): Promise<BranchStanding> {
  const { name, ...schedule } = branch;
  const now = deps.clock.now();
  const known = await knownPeriods(deps, pipeline, branch);
  const due = pendingPeriods(branch, known, now).map(({ period }) => period);
  const failed = known.filter(({ status, period }) => status === 'FAILED' && !due.includes(period));
  return {
    pipeline,
    branch: name,
    ...schedule,
    next: firstAfter(branch, now)?.toISOString() ?? null,
    last: known.at(-1) ?? null,
    due,
    given_up: failed.map(({ period }) => period),
  };
}
