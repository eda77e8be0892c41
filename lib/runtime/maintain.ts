import { mapConcurrent } from '../core/concurrency.ts';
import { InvalidInput, LockHeld, StrataError } from '../core/errors.ts';
import type { RunRef } from '../core/run.ts';
import { fullName, type TableId, tablePrefix } from '../core/tables.ts';
import { RUN_ID } from '../iceberg/snapshot.ts';
import type { StepDeps } from '../lake/deps.ts';
import { type ExpiredTable, expireTable } from '../lake/maintain/expire-table.ts';
import { type RecordOf, recordFolder } from '../lake/maintain/removals.ts';
import { requireNoRollback } from '../lake/maintain/rollback.ts';
import { needsOf, unfinishedPlans } from '../lake/maintain/unfinished.ts';
import { vacuumRuns } from '../lake/maintain/vacuum-runs.ts';
import { type Vacuumed, vacuumDropped, vacuumTable } from '../lake/maintain/vacuum-table.ts';
import { fenced } from '../lake/run/fence.ts';
import { releaseLock, takeLock } from '../lake/run/lock.ts';
import { readOpenRun } from '../lake/run/open-run.ts';
import { writeJson } from '../lake/run/run-folder.ts';
import { findTable, tableIdIfAny } from '../query/find-table.ts';
import { loadTable } from '../table/read.ts';
import { keepLock } from './keep-lock.ts';

/** Less is refused unless it is forced: queries, runs and other engines may be at work on what is to go. */
export const LEAST_RETENTION_MS = 168 * 3_600_000;

export type MaintainRequest = {
  /** A pipeline, or a table by full name. */
  readonly target: string;
  /** Milliseconds; left out: a week. */
  readonly olderThanMs?: number;
  readonly forceRetention?: boolean;
  readonly dryRun?: boolean;
};

export type ExpireRequest = MaintainRequest & {
  /** So many of the latest snapshots stay, however old they are. */
  readonly keep?: number;
};

/** A table that was left as it is, and why; the others were dealt with. */
export type FailedTable = { readonly table: string; readonly error: string };

export type MaintainAnswer<Table> = {
  readonly pipeline: string;
  readonly dry_run: boolean;
  /** The folder of the record of what was removed; null where nothing was to be. */
  readonly record: string | null;
  readonly tables: readonly Table[];
  readonly failed: readonly FailedTable[];
};

const KEEP = 5;

/**
 * Forgets old snapshots of one table or of all tables of a pipeline, its books among them, and removes the files that
 * only they had. Throws InvalidInput for an unknown target and for less than a week that is not forced; LockHeld where a
 * run works and it is less than a week.
 */
export async function expireTables(deps: StepDeps, request: ExpireRequest): Promise<MaintainAnswer<ExpiredTable>> {
  const { pipeline, ids } = await targetOf(deps, request.target);
  if (ids.length === 0) await findTable(deps.catalog, request.target);
  return maintain(deps, 'expire', { ...request, pipeline }, async (held, record, before) => {
    const plans = await unfinishedPlans(held.store);
    const known = new Map<string, readonly string[]>();
    return eachTable(held, booksLast(ids), async (id) => {
      const runs = isRuns(id) ? await runsInTables(held, pipeline, known) : new Set<string>();
      const asked = { before, keep: request.keep ?? KEEP, runs };
      const expired = await expireTable(held, id, asked, needsOf(id, plans), record);
      known.set(fullName(id), expired.runs);
      return expired.table;
    });
  });
}

export type VacuumAnswer = MaintainAnswer<Vacuumed> & {
  /** Folders of tables that no catalog knows, and of which nothing says that they were dropped: they stay. */
  readonly unknown: readonly string[];
};

/**
 * Removes what no snapshot, no unfinished run and no metadata needs: of one table, or of all tables of a pipeline, those
 * that were dropped among them, and what its ended runs have left in its books. Throws as expireTables does.
 */
export async function vacuumTables(deps: StepDeps, request: MaintainRequest): Promise<VacuumAnswer> {
  const { pipeline, ids, gone } = await targetOf(deps, request.target);
  const whole = request.target === pipeline;
  return maintain(deps, 'vacuum', { ...request, pipeline }, async (held, record, before) => {
    const plans = await unfinishedPlans(held.store);
    const unknown: string[] = [];
    const { tables, failed } = await eachTable(held, [...ids, ...gone], async (id) => {
      if (ids.includes(id)) return vacuumTable(held, id, before, needsOf(id, plans), record);
      if ((await held.catalog.tombstone(id)) === undefined && (await hasFiles(held.store, id)))
        unknown.push(fullName(id));
      return vacuumDropped(held, id, before, needsOf(id, plans), record);
    });
    const runs = whole ? [await vacuumRuns(held.store, pipeline, before, record)] : [];
    return { tables: [...tables, ...runs], failed, unknown };
  });
}

type Held = Pick<StepDeps, 'store' | 'catalog' | 'clock' | 'wait' | 'log'>;
type Outcome<Table> = Pick<MaintainAnswer<Table>, 'tables' | 'failed'>;
type Act<Done> = (held: Held, record: RecordOf | undefined, before: number) => Promise<Done>;

/** Acts under the pipeline's lock where what was needed a moment ago may go, and beside its runs otherwise. */
async function maintain<Done extends Outcome<unknown>>(
  deps: StepDeps,
  kind: 'expire' | 'vacuum',
  request: ExpireRequest & { readonly pipeline: string },
  act: Act<Done>,
): Promise<Done & Pick<MaintainAnswer<unknown>, 'pipeline' | 'dry_run' | 'record'>> {
  const { pipeline, target, keep, olderThanMs = LEAST_RETENTION_MS, forceRetention = false, dryRun = false } = request;
  if (olderThanMs < LEAST_RETENTION_MS && !forceRetention) throw tooShort(kind, olderThanMs);
  await requireNoRollback(deps.store, (await readOpenRun(deps.store, { pipeline })).run);
  const now = deps.clock.now();
  const before = now.getTime() - olderThanMs;
  if (dryRun) return { ...(await act(deps, undefined, before)), pipeline, dry_run: true, record: null };
  const time = now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  const record = { pipeline, id: `${time}-${kind}-${deps.ids.unique()}` };
  const done =
    olderThanMs < LEAST_RETENTION_MS
      ? await underLocks(deps, record, (held) => act(held, record, before))
      : await act(deps, record, before);
  const asked = { kind, target, older_than_ms: olderThanMs, ...(keep === undefined ? {} : { keep }) };
  await writeJson(deps.store, `${recordFolder(record)}/result.json`, { at: now.toISOString(), ...asked, ...done });
  return { ...done, pipeline, dry_run: false, record: recordFolder(record) };
}

/** No run and no compaction is at work. */
function underLocks<T>(deps: StepDeps, { pipeline, id }: RecordOf, act: (held: Held) => Promise<T>): Promise<T> {
  const run = { pipeline, run_id: id, dry_run: false };
  return underLock(deps, run, (held) => underLock(held, { ...run, kind: 'maintenance' }, act));
}

async function underLock<T>(deps: StepDeps, of: RunRef, act: (held: StepDeps) => Promise<T>): Promise<T> {
  return keepLock(deps, { ...of, epoch: () => undefined }, async () => {
    const run = { ...of, epoch: await takeLock(deps, of) };
    try {
      return await act(fenced(deps, run));
    } finally {
      await releaseLock(deps, run);
    }
  });
}

/** What is wrong with one table is no reason to leave the others. */
async function eachTable<Table>(
  deps: Held,
  ids: readonly TableId[],
  act: (id: TableId) => Promise<Table>,
): Promise<Outcome<Table>> {
  const tables: Table[] = [];
  const failed: FailedTable[] = [];
  for (const id of ids) {
    try {
      tables.push(await act(id));
    } catch (cause) {
      if (!(cause instanceof StrataError) || cause instanceof LockHeld) throw cause;
      deps.log.warn('a table is left as it is', { table: fullName(id), reason: cause.message });
      failed.push({ table: fullName(id), error: `${cause.name}: ${cause.message}` });
    }
  }
  return { tables, failed };
}

type Target = {
  readonly pipeline: string;
  readonly ids: readonly TableId[];
  /** Folders in which a table of the pipeline was. */
  readonly gone: readonly TableId[];
};

async function targetOf(deps: StepDeps, target: string): Promise<Target> {
  const { catalog, store } = deps;
  const named = tableIdIfAny(target);
  if (named !== undefined) {
    if ((await catalog.tombstone(named)) !== undefined) return { pipeline: named.pipeline, ids: [], gone: [named] };
    const { id } = await findTable(catalog, target);
    return { pipeline: id.pipeline, ids: [id], gone: [] };
  }
  const ids = await tablesOf(catalog, target);
  if (ids.length > 0) return { pipeline: target, ids, gone: await goneFrom(store, target, ids) };
  const known = (await store.folders('ops/')).join(', ');
  throw new InvalidInput(
    `nothing to maintain: got ${JSON.stringify(target)}; expected a pipeline that has run (${known || 'none has'}) or a table ` +
      'by full name, such as retail_silver.sales',
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

async function hasFiles(store: StepDeps['store'], id: TableId): Promise<boolean> {
  for await (const _object of store.list(`${tablePrefix(id)}/`)) return true;
  return false;
}

async function tablesOf(catalog: StepDeps['catalog'], pipeline: string): Promise<readonly TableId[]> {
  const layers = await mapConcurrent(['silver', 'gold', 'ops'] as const, (layer) => catalog.list({ pipeline, layer }));
  return layers.flat();
}

/** By their snapshots in the table of runs, the runs that other tables still know are put in order. */
function booksLast(ids: readonly TableId[]): readonly TableId[] {
  return [...ids.filter((id) => !isRuns(id)), ...ids.filter(isRuns)];
}

function isRuns({ layer, name }: TableId): boolean {
  return layer === 'ops' && name === 'runs';
}

/** Of the tables that have been dealt with, what is `known`; of the others, what they have. */
async function runsInTables(
  { catalog }: Held,
  pipeline: string,
  known: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlySet<string>> {
  const ids = (await tablesOf(catalog, pipeline)).filter((id) => !isRuns(id));
  const runs = await mapConcurrent(ids, async (id) => {
    const snapshots = known.has(fullName(id)) ? [] : ((await loadTable(catalog, id))?.metadata.snapshots ?? []);
    return known.get(fullName(id)) ?? snapshots.flatMap(({ summary }) => summary[RUN_ID] ?? []);
  });
  return new Set(runs.flat());
}

function tooShort(kind: string, ms: number): InvalidInput {
  return new InvalidInput(
    `--older-than: got ${ms / 3_600_000}h; expected 168h or more: what is younger may be read at this moment by a query, a run or ` +
      `another engine, which fails without its files. Where nothing else works on the lake: strata ${kind} --force-retention`,
  );
}
