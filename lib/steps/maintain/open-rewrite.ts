import type { CompactRequest } from '../../core/asked.ts';
import { DEFAULT_COMPUTE } from '../../core/compute.ts';
import { InvalidInput } from '../../core/errors.ts';
import {
  type MaintenancePlan,
  type MaintenanceState,
  maintenanceOf,
  type RewriteUnit,
  sweepsOf,
} from '../../core/maintenance.ts';
import { WRITTEN_BY } from '../../core/plan-format.ts';
import type { HeldRun, OpenInput, RunRef } from '../../core/run.ts';
import { parseTableName } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { discardMaintenance } from '../../lake/maintain/discard-maintenance.ts';
import { keepBase, readMaintenancePlan, readRound, writeRound } from '../../lake/maintain/maintenance-folder.ts';
import { describeWork, planTables, rulesOf, type TableWork } from '../../lake/maintain/plan-tables.ts';
import { checkSweeps } from '../../lake/maintain/sweep-plan.ts';
import { readDecision } from '../../lake/run/decision.ts';
import { fenced } from '../../lake/run/fence.ts';
import { requireUnusedId } from '../../lake/run/forgotten-ids.ts';
import { handOver, releaseLock, takeLock } from '../../lake/run/lock.ts';
import { pointTo, readOpenRun } from '../../lake/run/open-run.ts';
import { checkRunId, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { requireOwnId } from '../../lake/run/run-ids.ts';
import { type CompactionWork, estimateCompaction } from '../../plan/compaction-cost.ts';
import { packUnits } from '../../plan/maintenance.ts';

/** Tables that a state has room for. */
const MOST_DESCRIBED = 200;

/**
 * Opens a run of maintenance: takes the lock of the pipeline's maintenance and plans which files are written anew, or
 * finds an unfinished run to go on with, which the caller sees in the answer. With `dry_run` it only looks. What is asked for beside
 * a compaction, or in its place, is left to Sweep.
 * Throws LockHeld while another compacts, InvalidInput for a request that names nothing.
 */
export async function runOpenRewrite(input: OpenInput, deps: StepDeps): Promise<MaintenanceState> {
  const { pipeline, dry_run } = input;
  const request = requestOf(input);
  const asked: RunRef = { pipeline, run_id: checkRunId(input.run_id), dry_run, kind: 'maintenance' };
  const left = sweepsOf(request);
  const idle = { request, run: asked, round: 0, ...(left.length === 0 ? {} : { sweep: { left } }) };
  checkSweeps(request);
  const compact = compactionOf(request);
  await requireOwnId(deps.store, asked, compact === undefined ? 'sweep' : 'compaction');
  if (compact === undefined) return { status: 'nothing', ...idle };
  if (dry_run) {
    const work = await planTables(deps, pipeline, checkTable(pipeline, compact));
    const { compute = DEFAULT_COMPUTE } = await deps.specs(pipeline);
    const cost = estimateCompaction(sizeOf(work), compute);
    return { status: 'nothing', ...idle, plan: work.map(describeWork).slice(0, MOST_DESCRIBED), cost };
  }
  if ((await deps.store.head(runFolder.result(asked))) !== undefined) return { status: 'done', ...idle };
  await requireUnusedId(deps.store, asked);
  const run = { ...asked, epoch: await takeLock(deps, asked) };
  try {
    const opened = await openHeld(fenced(deps, run), run, checkTable(pipeline, compact));
    if (opened !== undefined) return { status: 'planned', ...idle, ...opened };
    await releaseLock(deps, run);
    return { status: 'nothing', ...idle };
  } catch (cause) {
    await releaseLock(deps, run).catch(() => undefined);
    throw cause;
  }
}

function sizeOf(work: readonly TableWork[]): CompactionWork {
  const tables = work.map(describeWork);
  const sum = (of: (table: (typeof tables)[number]) => number): number => tables.reduce((all, one) => all + of(one), 0);
  return {
    tables: work.length,
    units: unitsIn(work).length,
    files: sum(({ files }) => files),
    filesAfter: sum(({ files_after }) => files_after),
    bytes: sum(({ bytes }) => bytes),
  };
}

function unitsIn(work: readonly TableWork[]): readonly RewriteUnit[] {
  return work.flatMap(({ table, bins }) => packUnits(table.id, 0, bins, rulesOf(table)));
}

type Opened = Pick<MaintenanceState, 'run' | 'rewrite'>;

async function openHeld(
  deps: StepDeps,
  run: HeldRun & { readonly epoch: number },
  request: CompactRequest,
): Promise<Opened | undefined> {
  for (;;) {
    const pointer = await readOpenRun(deps.store, run);
    const unfinished = await findUnfinished(deps, pointer.run);
    if (unfinished !== undefined) {
      const resumed = { ...unfinished.run, epoch: run.epoch };
      if (!(await pointTo(deps.store, pointer, resumed))) continue;
      await handOver(deps, run, resumed.run_id);
      deps.log.info('an unfinished run is resumed', { run_id: resumed.run_id });
      return { run: resumed, rewrite: await unitsOf(deps, resumed) };
    }
    const started = deps.clock.now().getTime();
    const work = await planTables(deps, run.pipeline, request);
    if (work.length === 0) return undefined;
    if (!(await pointTo(deps.store, pointer, run))) continue;
    return { run, rewrite: await record(deps, run, request, work, started) };
  }
}

/** A run that had ended, or was being undone, leaves nothing to go on with. */
async function findUnfinished(deps: StepDeps, open: RunRef | undefined): Promise<MaintenancePlan | undefined> {
  if (open === undefined || (await deps.store.head(runFolder.plan(open))) === undefined) return undefined;
  if ((await deps.store.head(runFolder.result(open))) !== undefined) return undefined;
  if ((await readDecision(deps.store, open))?.undo !== undefined) {
    await discardMaintenance(deps.store, open);
    return undefined;
  }
  return readMaintenancePlan(deps.store, open);
}

/** The units of the first round: those of later ones are found again by the commit of the round before. */
async function unitsOf(deps: StepDeps, run: RunRef): Promise<NonNullable<MaintenanceState['rewrite']>> {
  const items = await readRound(deps.store, run, 0);
  return { units_key: runFolder.mergeUnits(run, 0), count: items.length };
}

/** Writes units and tables, and then the plan: a run without a plan has not begun. */
async function record(
  deps: StepDeps,
  { pipeline, run_id, dry_run, kind }: HeldRun,
  request: CompactRequest,
  work: readonly TableWork[],
  started: number,
): Promise<NonNullable<MaintenanceState['rewrite']>> {
  const run: RunRef = { pipeline, run_id, dry_run, ...(kind === undefined ? {} : { kind }) };
  for (const { table, entry } of work) await keepBase(deps.store, run, { round: 0, table: table.id }, entry.metadata);
  const rewrite = await writeRound(deps.store, run, 0, unitsIn(work));
  const { settings, compute } = await deps.specs(pipeline);
  const now = deps.clock.now();
  const plan: MaintenancePlan = {
    ...WRITTEN_BY,
    run,
    created_at: now.toISOString(),
    request,
    tables: work.map(({ table }) => table),
    planning_ms: now.getTime() - started,
    sources: {},
    priced_by: { settings, compute },
  };
  await writeOnce(deps.store, runFolder.plan(run), plan);
  return rewrite;
}

function requestOf({ pipeline, run_id, dry_run, wait, compact, maintenance }: OpenInput): OpenInput {
  return {
    ...{ pipeline, run_id, dry_run, kind: 'maintenance' },
    ...(wait === undefined ? {} : { wait }),
    ...(compact === undefined ? {} : { compact }),
    ...(maintenance === undefined ? {} : { maintenance }),
  };
}

/** Undefined where other operations alone are asked for. */
function compactionOf(request: OpenInput): CompactRequest | undefined {
  const { operations, table, compact } = maintenanceOf(request);
  if (!operations.includes('compact')) return undefined;
  return { ...compact, ...(table === undefined ? {} : { table }) };
}

function checkTable(pipeline: string, request: CompactRequest): CompactRequest {
  if (request.table === undefined || parseTableName(request.table).pipeline === pipeline) return request;
  throw new InvalidInput(
    `compact of ${pipeline}: got table ${request.table}; expected a table of that pipeline, such as ${pipeline}_silver.<name>`,
  );
}
