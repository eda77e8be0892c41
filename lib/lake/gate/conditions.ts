import type { ConditionOutcome, TableCondition } from '../../core/promote.ts';
import { worstOf } from '../../core/row-counts.ts';
import type { RunPlan } from '../../core/run.ts';
import { fullName } from '../../core/tables.ts';
import { withRenamed } from '../../iceberg/rename.ts';
import type { Session } from '../../ports.ts';
import { countCodes, countGone, sumBoth } from '../../sql/gate/conditions.ts';
import { renderParquet } from '../../sql/scan.ts';
import type { StepDeps } from '../deps.ts';
import { runFolder } from '../run/run-folder.ts';
import type { SettledBooks, SourceOutcome } from '../run/run-records.ts';
import { pathOf } from '../tables/foreign-files.ts';
import { findModel, loadBase, loadState, openTable, tableColumns, tableIdOf } from '../tables/table-state.ts';

export type Judged = { readonly books: SettledBooks; readonly sources: readonly SourceOutcome[] };

/** Whether what a run has prepared is as the pipeline says that it has to be, condition by condition. */
export async function judge(deps: StepDeps, plan: RunPlan, judged: Judged): Promise<readonly ConditionOutcome[]> {
  const { promote } = plan.spec;
  if (promote === undefined) return [];
  const outcomes: ConditionOutcome[] = [];
  if (promote.maxQuarantineRate !== null) outcomes.push(judgeRate(promote.maxQuarantineRate, judged.books));
  if (promote.forbid.length > 0) outcomes.push(await judgeCodes(deps, promote.forbid, judged));
  for (const condition of promote.auto ?? []) outcomes.push(...(await judgeTable(deps, plan, condition)));
  return outcomes;
}

function judgeRate(most: number, { accounting }: SettledBooks): ConditionOutcome {
  const counts = Object.values(accounting).map(worstOf);
  const read = counts.reduce((sum, one) => sum + one.read, 0);
  const rejected = counts.reduce((sum, one) => sum + one.quarantined + one.condemned, 0);
  const rate = read === 0 ? 0 : (100 * rejected) / read;
  const found = `${rejected} of ${read} records are rejected, ${percentOf(rate)}`;
  return { condition: `at most ${most} % of the records rejected`, holds: rate <= most, found };
}

async function judgeCodes(
  deps: StepDeps,
  forbid: readonly string[],
  { books, sources }: Judged,
): Promise<ConditionOutcome> {
  const files = sources.flatMap(({ tables }) => tables.flatMap(({ outcome }) => outcome.files));
  const rejected = new Set(
    files.flatMap(({ code, key }) => (code !== null && forbid.includes(code) ? [`${code} of file ${key}`] : [])),
  );
  const found = [...(await codesOfRows(deps, forbid, books)), ...rejected];
  const condition = `no record rejected with ${forbid.join(', ')}`;
  return { condition, holds: found.length === 0, found: found.length === 0 ? 'none is' : nameSome(found) };
}

/** A state and an alert have room for some. */
function nameSome(found: readonly string[]): string {
  const more = found.length - MOST_NAMED;
  return `${found.slice(0, MOST_NAMED).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

const MOST_NAMED = 20;

async function codesOfRows(
  deps: StepDeps,
  forbid: readonly string[],
  { quarantine }: SettledBooks,
): Promise<readonly string[]> {
  if (quarantine.length === 0) return [];
  const keys = quarantine.map(({ key }) => key);
  await using staged = await deps.store.borrow(keys);
  await using session = await deps.engine.open(deps.settings);
  const rows = await session.rows(countCodes(renderParquet(keys.map((key) => pathOf(staged, key))), forbid));
  return rows.map((row) => `${row['code']} in ${row['rows']} rows`);
}

/** Of a table that the run leaves as it is everything holds. */
async function judgeTable(
  deps: StepDeps,
  plan: RunPlan,
  condition: TableCondition,
): Promise<readonly ConditionOutcome[]> {
  const model = findModel(plan.spec, condition.table);
  const name = fullName(tableIdOf(plan.spec, model));
  if ((await deps.store.head(runFolder.table(plan.run, model.id))) === undefined) return [];
  const base = await loadBase(deps.store, plan, model.id);
  if (base === undefined) {
    return [{ condition: `${name} as it was`, holds: false, found: 'it has not been published before' }];
  }
  const published = withRenamed(base, model.renamed);
  const prepared = await loadState(deps.store, plan, model.id);
  const columns = tableColumns(model);
  await using session = await deps.engine.open(deps.settings);
  await using _was = await openTable(deps.store, session, { schema: 'main', table: 'published' }, published, columns);
  await using _now = await openTable(deps.store, session, { schema: 'main', table: 'prepared' }, prepared, columns);
  const outcomes: ConditionOutcome[] = [];
  if (condition.keys.length > 0) outcomes.push(await judgeKeys(session, name, condition.keys));
  for (const measure of condition.measures)
    outcomes.push(await judgeMeasure(session, name, measure, condition.tolerance));
  return outcomes;
}

async function judgeKeys(session: Session, table: string, keys: readonly string[]): Promise<ConditionOutcome> {
  const gone = Number((await session.rows(countGone(keys)))[0]?.['gone']);
  const condition = `no ${keys.join(', ')} gone from ${table}`;
  return { condition, holds: gone === 0, found: gone === 0 ? 'none is' : `${gone} are` };
}

async function judgeMeasure(
  session: Session,
  table: string,
  measure: string,
  tolerance: number,
): Promise<ConditionOutcome> {
  const row = (await session.rows(sumBoth(measure)))[0];
  const [was, now] = [Number(row?.['was']), Number(row?.['now'])];
  const off = was === now ? 0 : (100 * Math.abs(now - was)) / Math.abs(was);
  return {
    condition: `${measure} of ${table} within ${tolerance} %`,
    // What is no number is within nothing.
    holds: off <= tolerance,
    found: `${now} after ${was}, ${percentOf(off)}`,
  };
}

function percentOf(percent: number): string {
  return Number.isFinite(percent) ? `${Number(percent.toFixed(2))} %` : 'which no percentage says';
}
