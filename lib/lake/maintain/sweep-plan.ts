import type { ExpireOptions } from '../../core/asked.ts';
import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput } from '../../core/errors.ts';
import { maintenanceOf, type SweepOperation, sweepsOf } from '../../core/maintenance.ts';
import { requireReadable, WRITTEN_BY, type WrittenBy } from '../../core/plan-format.ts';
import type { OpenInput, RunRef } from '../../core/run.ts';
import { fullName, parseTableName, type TableId, tablePrefix } from '../../core/tables.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { requireUnusedId } from '../run/forgotten-ids.ts';
import { readOpenRun } from '../run/open-run.ts';
import { checkRunId, LONGEST_RUN_ID, readJson, readJsonIfAny, writeOnce } from '../run/run-folder.ts';
import { recordFolder } from './removals.ts';
import { requireNoRollback } from './rollback.ts';

/** Less is refused unless it is forced: queries, runs and other engines may be at work on what is to go. */
export const LEAST_RETENTION_MS = 168 * 3_600_000;

/** What an expiry or a vacuum set out to do. Written once, so that whoever goes on with it does the same. */
export type SweepPlan = WrittenBy & {
  readonly run: RunRef;
  readonly kind: SweepOperation;
  readonly created_at: string;
  readonly asked: ExpireOptions & { readonly table?: string };
  /** Milliseconds since the epoch: what has been needed since then stays. */
  readonly before: number;
  readonly items: readonly SweepItem[];
  readonly planning_ms: number;
  /** It takes nothing in. */
  readonly sources: Readonly<Record<string, never>>;
};

/**
 * `gone`: the folder of a table that the catalog does not know. `runs`: what ended runs have left in the books. `rows`: those of
 * quarantine that are past their time; `facts`: those of the tables of facts. `names`: under which engines knew tables for runs.
 */
export type SweepItem =
  | { readonly kind: 'table' | 'gone'; readonly name: string; readonly table: TableId }
  | { readonly kind: 'runs'; readonly name: string }
  | { readonly kind: 'rows'; readonly name: string }
  | { readonly kind: 'facts'; readonly name: string }
  | { readonly kind: 'names'; readonly name: string };

/** The run that an operation of an execution is: the first has the id that was given, others have their name behind it. */
export function sweepRun(request: OpenInput, operation: SweepOperation): RunRef {
  const { pipeline, run_id, dry_run } = request;
  if (maintenanceOf(request).operations[0] === operation) return { pipeline, run_id, dry_run, kind: 'maintenance' };
  const suffix = `-${operation}`;
  const own = `${run_id.slice(0, LONGEST_RUN_ID - suffix.length)}${suffix}`;
  return { pipeline, run_id: own, dry_run, kind: 'maintenance' };
}

export function recordOf({ pipeline, run_id }: Pick<RunRef, 'pipeline' | 'run_id'>): {
  readonly pipeline: string;
  readonly id: string;
} {
  return { pipeline, id: run_id };
}

const root = (run: RunRef): string => recordFolder(recordOf(run));

/** The objects of an expiry or a vacuum, beside the lists of what it removed. */
export const sweepPlaces = {
  plan: (run: RunRef): string => `${root(run)}/plan.json`,
  outcome: (run: RunRef, item: SweepItem): string => `${root(run)}/outcomes/${item.name}.json`,
  result: (run: RunRef): string => `${root(run)}/result.json`,
} as const;

/** Throws InvalidInput for a plan of a format that this release does not read. */
export async function readSweepPlan(deps: Pick<StepDeps, 'store'>, run: RunRef): Promise<SweepPlan | undefined> {
  const found = await readJsonIfAny<SweepPlan>(deps.store, sweepPlaces.plan(run));
  return found === undefined ? undefined : requireReadable(found, run);
}

/** Throws InvalidInput for less than a week that is not forced, and for a table of another pipeline. */
export function checkSweeps(request: OpenInput): void {
  checkRunId(request.run_id);
  const asked = maintenanceOf(request);
  const sweeps = sweepsOf(request);
  if (sweeps.length === 0) return;
  for (const operation of sweeps) {
    const { older_than_ms = LEAST_RETENTION_MS, force_retention = false } = asked[operation] ?? {};
    if (older_than_ms < LEAST_RETENTION_MS && !force_retention) throw tooShort(operation, older_than_ms);
  }
  if (asked.table === undefined || parseTableName(asked.table).pipeline === request.pipeline) return;
  throw new InvalidInput(
    `maintenance of ${request.pipeline}: got table ${asked.table}; expected one of that pipeline, such as ${request.pipeline}_silver.<name>`,
  );
}

/** What an operation of an execution has to do; of a dry run nothing is written. */
export async function planSweep(deps: StepDeps, request: OpenInput, operation: SweepOperation): Promise<SweepPlan> {
  const run = sweepRun(request, operation);
  const { pipeline } = run;
  const found = run.dry_run ? undefined : await readSweepPlan(deps, run);
  if (found !== undefined) return found;
  checkSweeps(request);
  if (!run.dry_run) await requireUnusedId(deps.store, run);
  await requireNoRollback(deps.store, (await readOpenRun(deps.store, { pipeline })).run);
  const { table, ...maintain } = maintenanceOf(request);
  const asked = maintain[operation] ?? {};
  const now = deps.clock.now();
  const plan: SweepPlan = {
    ...WRITTEN_BY,
    run,
    kind: operation,
    created_at: now.toISOString(),
    asked: { ...asked, ...(table === undefined ? {} : { table }) },
    before: now.getTime() - (asked.older_than_ms ?? LEAST_RETENTION_MS),
    items: await itemsOf(deps, pipeline, operation, table),
    planning_ms: 0,
    sources: {},
  };
  if (run.dry_run) return plan;
  await writeOnce(deps.store, sweepPlaces.plan(run), plan);
  return requireReadable(await readJson<SweepPlan>(deps.store, sweepPlaces.plan(run)), run);
}

async function itemsOf(
  { catalog, store, sqlEngine }: Pick<StepDeps, 'catalog' | 'store' | 'sqlEngine'>,
  pipeline: string,
  operation: SweepOperation,
  table: string | undefined,
): Promise<readonly SweepItem[]> {
  if (table !== undefined) return [await itemOf(catalog, parseTableName(table))];
  const ids = await tablesOf(catalog, pipeline);
  // By their snapshots in the table of runs, the runs that other tables still know are put in order.
  const ordered = [...ids.filter((id) => !isRuns(id)), ...ids.filter(isRuns)];
  const tables = ordered.map((id): SweepItem => ({ kind: 'table', name: fullName(id), table: id }));
  if (operation === 'expire' || ids.length === 0) return tables;
  const gone = (await goneFrom(store, pipeline, ids)).map(
    (id): SweepItem => ({ kind: 'gone', name: fullName(id), table: id }),
  );
  const rows: SweepItem = { kind: 'rows', name: `${pipeline}_ops.quarantine.rows` };
  const facts: SweepItem = { kind: 'facts', name: `${pipeline}_ops.facts.rows` };
  const names: SweepItem[] = sqlEngine === undefined ? [] : [{ kind: 'names', name: `${pipeline}_gold` }];
  return [rows, facts, ...names, ...tables, ...gone, { kind: 'runs', name: `${pipeline}_ops` }];
}

async function itemOf(catalog: StepDeps['catalog'], id: TableId): Promise<SweepItem> {
  const name = fullName(id);
  if ((await catalog.tombstone(id)) !== undefined) return { kind: 'gone', name, table: id };
  if ((await loadTable(catalog, id)) !== undefined) return { kind: 'table', name, table: id };
  throw new InvalidInput(
    `no table ${name}: got a name that the catalog does not know; expected one of those that strata tables lists`,
  );
}

async function goneFrom(
  store: StepDeps['store'],
  pipeline: string,
  ids: readonly TableId[],
): Promise<readonly TableId[]> {
  const there = new Set(ids.map(tablePrefix));
  const folders = await mapConcurrent(['silver', 'gold'] as const, async (layer) => {
    return (await store.folders(`${layer}/${pipeline}/`)).map((name): TableId => ({ pipeline, layer, name }));
  });
  return folders.flat().filter((id) => !there.has(tablePrefix(id)));
}

/** All tables that the catalog has of a pipeline. */
export async function tablesOf(catalog: StepDeps['catalog'], pipeline: string): Promise<readonly TableId[]> {
  const layers = await mapConcurrent(['silver', 'gold', 'ops'] as const, (layer) => catalog.list({ pipeline, layer }));
  return layers.flat();
}

export function isRuns({ layer, name }: TableId): boolean {
  return layer === 'ops' && name === 'runs';
}

function tooShort(operation: SweepOperation, ms: number): InvalidInput {
  return new InvalidInput(
    `--older-than: got ${ms / 3_600_000}h; expected 168h or more: what is younger may be read at this moment by a query, a run or ` +
      `another engine, which fails without its files. Where nothing else works on the lake: strata ${operation} --force-retention`,
  );
}
