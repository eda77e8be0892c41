import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput, LockHeld, StrataError } from '../../core/errors.ts';
import type { ExpiredTable, FailedTable, Vacuumed } from '../../core/maintenance.ts';
import { keptRules } from '../../core/maintenance-rules.ts';
import { isFacts } from '../../core/ops.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import { RUN_ID } from '../../iceberg/snapshot.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { forgetNames } from '../engines/forget-names.ts';
import { readJsonIfAny, writeOnce } from '../run/run-folder.ts';
import { expireTable, type MaintainDeps } from './expire-table.ts';
import type { RecordOf } from './removals.ts';
import { retireFacts } from './retire-facts.ts';
import { retireRows } from './retire-rows.ts';
import { isRuns, recordOf, type SweepItem, type SweepPlan, sweepPlaces, tablesOf } from './sweep-plan.ts';
import { needsOf, type UnfinishedPlan, unfinishedPlans } from './unfinished.ts';
import { type RunsAge, vacuumRuns } from './vacuum-runs.ts';
import { vacuumDropped, vacuumTable } from './vacuum-table.ts';

/** What became of one item. Written once, so that an attempt that comes after does the others. */
export type SweepOutcome = {
  readonly expired?: ExpiredTable;
  readonly vacuumed?: Vacuumed;
  readonly failed?: FailedTable;
  /** A folder of which nothing says that its table was dropped. */
  readonly unknown?: string;
};

/** Milliseconds after which a call begins with no other table: what is left is the next call's. */
const PATIENCE_MS = 240_000;

const KEEP = 5;

type Known = Map<string, readonly string[]>;
type Sweeping = {
  readonly plans: readonly UnfinishedPlan[];
  /** Undefined: it is only looked. */
  readonly record: RecordOf | undefined;
  /** Of tables that have been dealt with, the runs that they have snapshots of. */
  readonly known: Known;
};

/**
 * Deals with the tables of a plan, one after the other; what is wrong with one is no reason to leave the others. Answers
 * what became of all, or undefined where time was up before the last: then it is to be called again.
 */
export async function sweepTables(deps: StepDeps, plan: SweepPlan): Promise<readonly SweepOutcome[] | undefined> {
  const started = deps.clock.now().getTime();
  const record = plan.run.dry_run ? undefined : recordOf(plan.run);
  const sweeping: Sweeping = { plans: await unfinishedPlans(deps.store), record, known: new Map() };
  const outcomes: SweepOutcome[] = [];
  let dealt = 0;
  for (const item of plan.items) {
    const key = sweepPlaces.outcome(plan.run, item);
    const before = record === undefined ? undefined : await readJsonIfAny<SweepOutcome>(deps.store, key);
    if (before === undefined && record !== undefined && dealt > 0) {
      if (deps.clock.now().getTime() - started > PATIENCE_MS) return undefined;
    }
    const outcome = before ?? (await dealOrLeave(deps, plan, item, sweeping));
    if (before === undefined) dealt += 1;
    outcomes.push(before === undefined && record !== undefined ? await writeOnce(deps.store, key, outcome) : outcome);
  }
  return outcomes;
}

async function dealOrLeave(
  deps: StepDeps,
  plan: SweepPlan,
  item: SweepItem,
  sweeping: Sweeping,
): Promise<SweepOutcome> {
  try {
    return await dealWith(deps, plan, item, sweeping);
  } catch (cause) {
    if (!(cause instanceof StrataError) || cause instanceof LockHeld) throw cause;
    deps.log.warn('a table is left as it is', { table: item.name, reason: cause.message });
    return { failed: { table: item.name, error: `${cause.name}: ${cause.message}` } };
  }
}

async function dealWith(deps: StepDeps, plan: SweepPlan, item: SweepItem, sweeping: Sweeping): Promise<SweepOutcome> {
  const { plans, record } = sweeping;
  if (item.kind === 'rows') return { vacuumed: await retireRows(deps, plan.run, Date.parse(plan.created_at)) };
  if (item.kind === 'facts') return { vacuumed: await retireFacts(deps, plan.run, Date.parse(plan.created_at)) };
  if (item.kind === 'names') {
    const { since } = needsOf({ pipeline: plan.run.pipeline, layer: 'gold', name: '' }, plans);
    return { vacuumed: await forgetNames(deps, plan.run, Math.min(plan.before, since)) };
  }
  if (item.kind === 'runs') {
    return { vacuumed: await vacuumRuns(deps.store, plan.run.pipeline, await ageOf(deps, plan), record) };
  }
  const needs = needsOf(item.table, plans);
  if (plan.kind === 'expire') return expire(deps, plan, item.table, sweeping);
  if (item.kind === 'table') return { vacuumed: await vacuumTable(deps, item.table, plan.before, needs, record) };
  const dropped = (await deps.catalog.tombstone(item.table)) !== undefined;
  const unknown = !dropped && (await hasFiles(deps.store, item.table)) ? { unknown: item.name } : {};
  return { vacuumed: await vacuumDropped(deps, item.table, plan.before, needs, record), ...unknown };
}

/** Plans and results stay longer than what else a run leaves, and as long as a table has a snapshot of the run. */
async function ageOf(deps: StepDeps, { run, before, created_at }: SweepPlan): Promise<RunsAge> {
  const spec = await deps.specs(run.pipeline).catch((cause: unknown) => {
    // A pipeline that is gone, or does not compile at the moment, has its old runs removed all the same.
    if (cause instanceof InvalidInput) return undefined;
    throw cause;
  });
  const forget = Date.parse(created_at) - keptRules(spec ?? {}).keepRunsMs;
  const keep = await runsInTables(deps, run.pipeline, new Map());
  return { before, forget: Math.min(before, forget), keep };
}

async function expire(deps: MaintainDeps, plan: SweepPlan, id: TableId, sweeping: Sweeping): Promise<SweepOutcome> {
  const { plans, record, known } = sweeping;
  const runs = isRuns(id) ? await runsInTables(deps, plan.run.pipeline, known) : new Set<string>();
  const asked = { before: plan.before, keep: plan.asked.keep ?? KEEP, runs };
  const expired = await expireTable(deps, id, asked, needsOf(id, plans), record);
  known.set(fullName(id), expired.runs);
  return { expired: expired.table };
}

async function hasFiles(store: StepDeps['store'], id: TableId): Promise<boolean> {
  for await (const _object of store.list(`${tablePrefix(id)}/`)) return true;
  return false;
}

/** Of the tables that have been dealt with, what is `known`; of the others, what they have. Nobody reads facts as of a run. */
async function runsInTables(
  { catalog }: Pick<StepDeps, 'catalog'>,
  pipeline: string,
  known: Known,
): Promise<ReadonlySet<string>> {
  const ids = (await tablesOf(catalog, pipeline)).filter((id) => !isRuns(id) && !isFacts(id));
  const runs = await mapConcurrent(ids, async (id) => {
    const snapshots = known.has(fullName(id)) ? [] : ((await loadTable(catalog, id))?.metadata.snapshots ?? []);
    return known.get(fullName(id)) ?? snapshots.flatMap(({ summary }) => summary[RUN_ID] ?? []);
  });
  return new Set(runs.flat());
}
