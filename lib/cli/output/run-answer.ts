import { NOTHING_DONE } from '../../core/nothing-done.ts';
import { sayAwaiting } from '../../core/promote.ts';
import type { NamedFile, RunResult } from '../../core/run.ts';
import type { BranchDone } from '../../core/schedule/periods.ts';
import type { RemovedTable } from '../../core/tables.ts';
import { visibleLine } from '../../core/visible.ts';
import type { EarlierRun, RunAnswer, RunRequest } from '../../remote/run-request.ts';
import { nameCommands } from '../command-here.ts';
import { type Context, EXIT } from '../context.ts';
import { describeRunError } from '../failure.ts';
import { renderAwaiting } from './awaiting.ts';
import { renderFollowUp, tellNotMaintained } from './follow-up.ts';
import { formatQuantity } from './human.ts';
import { renderRemoved } from './removed.ts';
import { renderRun } from './run-result.ts';
import { tellUnserved } from './serve.ts';
import { renderSkipped } from './skipped.ts';
import { renderSuspended } from './suspended.ts';

type Asked = { readonly pipeline: string } & Pick<RunRequest, 'select' | 'exclude' | 'retry'>;

/** The answer under --json: the run's own result, or one of the same shape for a run that had nothing to do. */
export function runDocument(request: Asked, answer: RunAnswer): unknown {
  switch (answer.kind) {
    case 'ended':
      return {
        ...answer.result,
        ...(answer.before === undefined ? {} : { before: answer.before }),
        ...(answer.maintenance === undefined ? {} : { maintenance: answer.maintenance }),
      };
    case 'nothing':
      return {
        ...emptyResult(request.pipeline, answer.runId, 'NOTHING_TO_DO'),
        skipped: answer.skipped,
        suspended_files: answer.suspended,
        removed_tables: answer.removed,
        ...(answer.branch === undefined ? {} : { branch: answer.branch }),
        ...(answer.before === undefined ? {} : { before: answer.before }),
      };
    case 'awaiting': {
      const { run_id } = answer.awaiting;
      return { ...emptyResult(request.pipeline, run_id, 'AWAITING_APPROVAL'), awaiting: answer.awaiting };
    }
    case 'locked':
      return { ...emptyResult(request.pipeline, null, 'LOCKED'), message: answer.message };
  }
}

type EmptyResult = Omit<RunResult, 'status' | 'run_id'> & { readonly run_id: string | null; readonly status: string };

function emptyResult(pipeline: string, run_id: string | null, status: string): EmptyResult {
  return { ...NOTHING_DONE, run_id, pipeline, status, duration_ms: 0, error: null };
}

export function runText(context: Context, { pipeline, select, exclude, retry }: Asked, answer: RunAnswer): string {
  switch (answer.kind) {
    case 'ended':
      if (answer.result.status === 'FAILED') return '';
      return `${renderEarlier(answer.before)}${renderRun(answer.result, answer.again, context)}${renderFollowUp(answer.maintenance)}`;
    case 'nothing':
      if (answer.branch !== undefined) {
        return `${renderEarlier(answer.before)}${nothingOfBranch(context, pipeline, answer.branch)}`;
      }
      if (retry !== undefined && retry.files === undefined && retry.status === undefined) {
        return `no file of ${pipeline} is suspended, and nothing else is to do; rejected ones are taken again when they are asked for: ${context.hint(`files retry ${pipeline} --status rejected`)}\n`;
      }
      if ((select ?? exclude) !== undefined) {
        return `nothing to do for the selected models of ${pipeline}: they have no new files, and are not out of date\n${renderSkipped(answer.skipped)}`;
      }
      if (answer.branches !== undefined) {
        return `nothing to do for the models of ${pipeline} that are of no branch; those of ${answer.branches.join(', ')}: ${context.hint(`run ${pipeline} --branch <name>`)}\n${renderSkipped(answer.skipped)}`;
      }
      return `nothing to do for ${pipeline}: no new files in bronze/${pipeline}/, and no gold table is out of date\n${renderSkipped(answer.skipped)}`;
    case 'awaiting':
      return answer.own ? renderAwaiting(context, pipeline, answer.awaiting) : '';
    case 'locked':
      return '';
  }
}

/** A line for each period that was done before; of those that have failed the end tells. */
function renderEarlier(before: readonly EarlierRun[] = []): string {
  const done = before.filter(({ status }) => status !== 'FAILED');
  return done.map(({ run_id, branch }) => `run ${run_id}, ${periodIn(branch)}, went before it\n`).join('');
}

function periodIn(branch: EarlierRun['branch']): string {
  return branch === undefined ? 'which was unfinished' : `period ${branch.period} of ${branch.name}`;
}

/** What went wrong before the run that was asked for, which did not have to wait for it. */
function tellEarlier(context: Context, pipeline: string, before: readonly EarlierRun[] = []): number {
  const failed = before.filter(({ status }) => status === 'FAILED');
  for (const { run_id, branch, error } of failed) {
    context.note(`run ${run_id} of ${pipeline}, ${periodIn(branch)}, failed, and published nothing`);
    if (error !== null) context.note(describeRunError(error));
  }
  return failed.length === 0 ? EXIT.done : EXIT.failed;
}

/** Why a run of a branch did nothing, and what a person may do who wants it all the same. */
function nothingOfBranch(context: Context, pipeline: string, { name, period, ...done }: BranchDone): string {
  switch (done.why) {
    case 'none':
      return `nothing to do for ${pipeline}: no period of its branch ${name} has begun yet\n`;
    case 'missed':
      return (
        `nothing to do for ${pipeline}: the period ${period} of its branch ${name} was missed, and missed ones are not caught up; ` +
        `to run it: ${context.hint(`run ${pipeline} --branch ${name} --period ${period}`)}\n`
      );
    case 'done':
      return (
        `nothing to do for ${pipeline}: the period ${period} of its branch ${name} was done by run ${done.run_id} at ${done.finished_at}, and is done once; ` +
        `to compute models again on its date: ${context.hint(`run ${pipeline} --select <model> --run-date <day>`)}\n`
      );
  }
}

/** A run that leaves files out until a person decides about them has not done all that it should have. */
function tellSuspended(context: Context, pipeline: string, files: readonly NamedFile[]): number {
  if (files.length === 0) return EXIT.done;
  context.stderr.write(renderSuspended(pipeline, files, context.hint));
  return EXIT.failed;
}

/**
 * How an ending is told: whether a run of the pipeline is unfinished, the command that finishes it, and whether a
 * rejected file counts as a failure.
 */
export type Aftermath = {
  readonly strict: boolean;
  readonly unfinished: () => Promise<string | null>;
  readonly finish: string;
};

function tellRemoved(context: Context, tables: readonly RemovedTable[]): void {
  context.stderr.write(renderRemoved(tables, (table) => context.hint(`drop ${table}`)));
}

/** Says on stderr what went wrong in a run, and what became of it; answers the exit code. What was refused is no run. */
export async function tellEnd(context: Context, answer: RunAnswer, aftermath: Aftermath): Promise<number> {
  if (answer.kind === 'nothing') {
    const earlier = tellEarlier(context, answer.pipeline, answer.before);
    tellRemoved(context, answer.removed);
    return Math.max(earlier, tellSuspended(context, answer.pipeline, answer.suspended));
  }
  if (answer.kind === 'awaiting') {
    if (!answer.own) context.note(nameCommands(sayAwaiting(answer.pipeline, answer.awaiting)));
    return answer.own ? EXIT.done : EXIT.locked;
  }
  if (answer.kind === 'locked') {
    context.note(`${answer.message}, or wait for it with --wait`);
    return EXIT.locked;
  }
  const earlier = tellEarlier(context, answer.result.pipeline, answer.before);
  if (answer.result.status !== 'FAILED') {
    tellRemoved(context, answer.result.removed_tables ?? []);
    tellNotMaintained(context, answer.maintenance);
    const rejected = tellRejected(context, answer.result, aftermath.strict);
    // A result of an earlier release says nothing of suspended files.
    const suspended = tellSuspended(context, answer.result.pipeline, answer.result.suspended_files ?? []);
    return Math.max(earlier, rejected, suspended, tellUnserved(context, answer.result.serve));
  }
  const { run_id, pipeline, error } = answer.result;
  if (answer.refused === true && error !== null) {
    context.note(error.message);
    return EXIT.wrongUse;
  }
  const outcome =
    (await aftermath.unfinished()) === run_id
      ? `while it published; ${aftermath.finish} finishes it`
      : 'and published nothing';
  context.note(`run ${run_id} of ${pipeline} failed, ${outcome}`);
  if (error !== null) context.note(describeRunError(error));
  return EXIT.failed;
}

/** Whoever looks at neither table nor document still hears that a file was left out. */
function tellRejected(context: Context, { rejected_files }: RunResult, strict: boolean): number {
  if (rejected_files.length === 0) return EXIT.done;
  const names = rejected_files.map(({ file }) => visibleLine(file)).join(', ');
  const advice = strict ? ' (--strict makes this a failure)' : '';
  context.note(`${formatQuantity(rejected_files.length, 'file')} rejected, and not read: ${names}${advice}`);
  return strict ? EXIT.failed : EXIT.done;
}
