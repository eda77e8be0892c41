import { createHash } from 'node:crypto';
import type { Asked } from '../../../core/asked.ts';
import { InvalidInput } from '../../../core/errors.ts';
import { dayIn, type RunDate } from '../../../core/run-date.ts';
import { type Branch, branchOf, firingOf, lastUpTo, periodOf } from '../../../core/schedule/branch.ts';
import type { BranchDone, PlannedPeriod } from '../../../core/schedule/periods.ts';
import type { PipelineSpec } from '../../../core/spec.ts';
import { type DuePeriod, type KnownPeriod, pendingPeriods } from '../../../plan/branches/pending.ts';
import type { StepDeps } from '../../deps.ts';
import { runFolder } from '../../run/run-folder.ts';
import { isPlain } from '../due.ts';
import { knownPeriods } from './known-periods.ts';

type Asking = Asked & { readonly run_id: string; readonly dry_run: boolean };

/** What a run of a branch is to do: a period under a run id of its own, or nothing. */
export type ChosenPeriod =
  | { readonly kind: 'period'; readonly branch: PlannedPeriod; readonly run_id: string }
  | { readonly kind: 'nothing'; readonly done: BranchDone };

/**
 * The first period that a run of a branch is to do; undefined for a run of none. The last one goes by the run id that was asked for, those
 * before it by ids that follow from it, so that one execution does them one after the other, each once. To be asked under the
 * pipeline's lock, by which a period that two have asked for is done by one. Throws InvalidInput for a branch or a period that
 * there is not.
 */
export async function choosePeriod(
  deps: StepDeps,
  spec: PipelineSpec,
  asking: Asking,
): Promise<ChosenPeriod | undefined> {
  if (asking.branch === undefined) return withoutBranch(asking);
  const branch = branchOf(spec, asking.branch);
  requireAlone(asking);
  const now = asking.fired_at === undefined ? deps.clock.now() : new Date(asking.fired_at);
  const known = await knownPeriods(deps, spec.name, branch);
  const pending =
    asking.period === undefined
      ? pendingPeriods(branch, known, now)
      : periodAsked(branch, known, { period: asking.period, now });
  const due = asking.dry_run ? pending.slice(0, 1) : pending;
  for (const [at, { period, attempt }] of due.entries()) {
    const run_id = at === due.length - 1 ? asking.run_id : runIdFor(asking.run_id, branch.name, period);
    const run = { pipeline: spec.name, run_id, dry_run: asking.dry_run };
    // It has failed in this very execution, which goes on with the next one.
    if (run_id !== asking.run_id && (await deps.store.head(runFolder.result(run))) !== undefined) continue;
    return { kind: 'period', branch: { name: branch.name, period, attempt }, run_id };
  }
  return { kind: 'nothing', done: doneOf(branch, known, asking.period ?? lastPeriod(branch, now)) };
}

function withoutBranch({ period, fired_at }: Asking): undefined {
  if ((period ?? fired_at) === undefined) return undefined;
  throw new InvalidInput(`a period without its branch: got ${period ?? fired_at}; expected both, or neither`);
}

/** A period is done by a run of all of its branch, on its own date. */
function requireAlone({ branch, select, exclude, run_date, ...asked }: Asking): void {
  if ((select ?? exclude ?? run_date) === undefined && isPlain(asked)) return;
  throw new InvalidInput(
    `a run of the branch ${branch} takes all of it, on the date of its period: leave out what selects models, takes files again or says the date. ` +
      'For models alone, whatever their branch: strata run --select, with --run-date',
  );
}

function periodAsked(
  branch: Branch,
  known: readonly KnownPeriod[],
  { period, now }: { readonly period: string; readonly now: Date },
): readonly DuePeriod[] {
  const firing = firingOf(branch, period);
  if (firing > now) {
    throw new InvalidInput(
      `the period ${period} of the branch ${branch.name} has not begun: it does at ${firing.toISOString()}`,
    );
  }
  const before = known.find((one) => one.period === period);
  return before?.status === 'SUCCEEDED' ? [] : [{ period, firing, attempt: (before?.attempts ?? 0) + 1 }];
}

function lastPeriod(branch: Branch, now: Date): string | undefined {
  const [firing] = lastUpTo(branch, now);
  return firing && periodOf(branch, firing);
}

function doneOf(branch: Branch, known: readonly KnownPeriod[], period: string | undefined): BranchDone {
  const { name } = branch;
  if (period === undefined) return { name, period: null, why: 'none' };
  const found = known.find((one) => one.period === period);
  if (found?.status !== 'SUCCEEDED') return { name, period, why: 'missed' };
  return { name, period, why: 'done', run_id: found.run_id, finished_at: found.finished_at };
}

/** The same for one execution and period, and short enough for any. */
function runIdFor(runId: string, branch: string, period: string): string {
  const hash = createHash('sha256').update(runId).digest('hex').slice(0, 12);
  return `${branch}-${period.replaceAll(':', '')}-${hash}`;
}

/** The date of the chosen period: the day on which it begins in the zone of its branch, by which it is named, and the instant. */
export function dateOfPeriod(spec: PipelineSpec, { branch: name, period }: Asked): RunDate | undefined {
  if (name === undefined || period === undefined) return undefined;
  const branch = branchOf(spec, name);
  const firing = firingOf(branch, period);
  return { date: dayIn(branch.zone, firing), time: firing.toISOString() };
}
