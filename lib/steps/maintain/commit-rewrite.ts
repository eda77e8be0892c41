import type { MaintainedTable, MaintenancePlan, MaintenanceState, RewriteUnit } from '../../core/maintenance.ts';
import type { Measured } from '../../core/requests.ts';
import { fullName } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { candidatesOf, partitionName } from '../../lake/maintain/choose-files.ts';
import { commitTable, type Rewritten } from '../../lake/maintain/commit-table.ts';
import {
  keepBase,
  maintenancePlaces,
  type RewriteResult,
  readBase,
  readMaintenancePlan,
  readRewriteResult,
  readRewriteUnit,
  readRound,
  type TableRound,
  writeRound,
} from '../../lake/maintain/maintenance-folder.ts';
import { rulesOf } from '../../lake/maintain/plan-tables.ts';
import { recordMaintenance } from '../../lake/maintain/record-maintenance.ts';
import { decideToCommit } from '../../lake/run/decision.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { readJson, readJsonIfAny, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { isHalfOrdered, packUnits, planBins } from '../../plan/maintenance.ts';
import { loadTable, planFiles } from '../../table/read.ts';

/** Rounds after which partitions that other runs keep changing, and large ones that are not yet in order, are left to the next compaction. */
const ROUNDS = 3;

/**
 * Publishes a round, table by table, each in one snapshot. Partitions that another run changed meanwhile are planned
 * again, as the next round, and so are those whose rows are only half in the order that was asked for; after the last one the run is entered in the books. Each table says by its snapshots whether
 * the round is in it, so that a run which died on the way is rolled forward by running this again.
 */
export async function runCommitRewrite(state: MaintenanceState, deps: StepDeps): Promise<MaintenanceState> {
  const { run, round } = state;
  const { rewrite: _rewrite, ...rest } = state;
  if ((await deps.store.head(runFolder.commit(run))) !== undefined) return rest;
  const measure = startMeasuring(deps);
  const plan = await readMaintenancePlan(deps.store, run);
  const work = await readWork(deps, plan, round);
  await decideToCommit(deps.store, run, deps.clock.now().toISOString());
  const unfinished = new Map<MaintainedTable, TableRound['yielded']>();
  for (const { table, units, results } of work) {
    const outcome = await commitRound(deps, plan, round, { table, units, results });
    const partitions = [...outcome.yielded, ...halfOrdered({ table, units, results }, outcome, round)];
    if (partitions.length > 0) unfinished.set(table, partitions);
  }
  const next = round + 1 < ROUNDS ? await planAgain(deps, plan, round + 1, unfinished) : undefined;
  if (next !== undefined) return { ...rest, round: round + 1, rewrite: next };
  const units = await unitsOfAll(deps, plan, round, work);
  await recordMaintenance(deps, plan, { units, commit: measure(RECORDING) });
  await writeOnce(deps.store, runFolder.commit(run), measure(RECORDING));
  return { ...rest, commit: measure() };
}

/** What the units of all rounds measured; those of this one have been read. */
async function unitsOfAll(
  { store }: StepDeps,
  { run }: MaintenancePlan,
  round: number,
  work: readonly TableOfRound[],
): Promise<readonly Measured[]> {
  const units: Measured[] = work.flatMap(({ results }) => results);
  for (let before = 0; before < round; before += 1) {
    for (const item of await readRound(store, run, before))
      units.push((await readRewriteResult(store, run, item)) ?? { ms: 0 });
  }
  return units;
}

type TableOfRound = {
  readonly table: MaintainedTable;
  readonly units: readonly RewriteUnit[];
  readonly results: readonly RewriteResult[];
};

async function readWork(deps: StepDeps, plan: MaintenancePlan, round: number): Promise<readonly TableOfRound[]> {
  const items = await readRound(deps.store, plan.run, round);
  const units: RewriteUnit[] = [];
  const results: RewriteResult[] = [];
  for (const item of items) {
    const unit = await readRewriteUnit(deps.store, plan.run, item);
    units.push(unit);
    results.push((await readRewriteResult(deps.store, plan.run, item)) ?? failedUnit(plan, unit));
  }
  return plan.tables
    .map((table) => ({
      table,
      units: units.filter((unit) => unit.table === table.id),
      results: results.filter((result) => result.table === table.id),
    }))
    .filter((one) => one.units.length > 0 || (round === 0 && one.table.manifests !== undefined));
}

/** A map may tolerate units that fail: their files are as good as before. */
function failedUnit({ tables }: MaintenancePlan, { unit, table: id, bins }: RewriteUnit): RewriteResult {
  const table = tables.find((one) => one.id === id);
  const name = table === undefined ? id : fullName(table.table);
  const reason = `worker ${unit} failed`;
  return { unit, table: id, bins: [], left: bins.map(({ partition }) => ({ table: name, partition, reason })), ms: 0 };
}

async function commitRound(
  deps: StepDeps,
  { run, request }: MaintenancePlan,
  round: number,
  { table, units, results }: TableOfRound,
): Promise<TableRound> {
  const key = maintenancePlaces.outcome(run, round, table.id);
  const before = await readJsonIfAny<TableRound>(deps.store, key);
  if (before !== undefined) return before;
  const left = results.flatMap((result) => result.left);
  const bins = results.flatMap((result) => rewrittenOf(result, units));
  const base = await readBase(deps.store, run, round, table.id);
  const outcome = await commitTable(deps, { run, round, table, request, base, whole: left.length === 0 }, bins);
  return writeOnce(deps.store, key, { ...outcome, left });
}

function rewrittenOf({ unit: name, bins }: RewriteResult, units: readonly RewriteUnit[]): readonly Rewritten[] {
  const unit = units.find((one) => one.unit === name);
  return bins.flatMap((bin) => {
    const planned = unit?.bins[bin.bin];
    return planned === undefined ? [] : [{ ...bin, unit: name, planned }];
  });
}

/** Partitions that were written anew in several groups whose rows are to lie in one order. */
function halfOrdered(
  { table, units, results }: TableOfRound,
  { bins }: TableRound,
  round: number,
): TableRound['yielded'] {
  if (!table.rearrange) return [];
  const done = new Set(bins.map(([unit, at]) => `${unit} ${at}`));
  const files = new Map(
    results.flatMap((result) => result.bins.map(({ bin, written }) => [`${result.unit} ${bin}`, written.length])),
  );
  const planned = units.flatMap(({ unit, bins: own }) => own.map((bin, at) => ({ bin, name: `${unit} ${at}` })));
  const partitions = Map.groupBy(planned, ({ bin }) => partitionName(bin));
  return [...partitions.values()].flatMap((members) => {
    const [first] = members;
    const written = members.reduce((sum, { name }) => sum + (files.get(name) ?? 0), 0);
    const whole = members.every(({ name }) => done.has(name));
    if (!whole || first === undefined) return [];
    if (!isHalfOrdered({ groups: members.length, files: written }, round + 1)) return [];
    return [{ spec: first.bin.spec, partition: first.bin.partition }];
  });
}

/** Undefined when nothing is worth rewriting in what has yielded, or is only half in its order. Planned once, however often it is asked for. */
async function planAgain(
  deps: StepDeps,
  { run }: MaintenancePlan,
  round: number,
  unfinished: ReadonlyMap<MaintainedTable, TableRound['yielded']>,
): Promise<MaintenanceState['rewrite']> {
  const key = maintenancePlaces.units(run, round);
  if ((await deps.store.head(key)) !== undefined) {
    const { length } = await readJson<readonly unknown[]>(deps.store, key);
    return length === 0 ? undefined : { units_key: key, count: length };
  }
  const units: RewriteUnit[] = [];
  for (const [table, partitions] of unfinished) {
    const current = await loadTable(deps.catalog, table.table);
    if (current === undefined) continue;
    await keepBase(deps.store, run, { round, table: table.id }, current.metadata);
    const wanted = new Set(partitions.map(partitionName));
    const scanned = await planFiles(deps.store, current.metadata);
    const files = candidatesOf(current.metadata, scanned, table.rearrange ? table : undefined);
    const again = files.filter((file) => wanted.has(partitionName(file)));
    units.push(...packUnits(table.id, round, planBins(again, rulesOf(table)), rulesOf(table)));
  }
  if (units.length === 0) return undefined;
  return writeRound(deps.store, run, round, units);
}
