import { mapConcurrent } from '../../core/concurrency.ts';
import type { BookRow, RunFacts } from '../../core/facts.ts';
import { DIAGNOSTICS, FACT_TABLES, type FactTable, opsTable } from '../../core/ops.ts';
import type { RunPlan } from '../../core/run.ts';
import { findRun } from '../../iceberg/snapshot.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { commitOps, stageOpsRows } from '../ops/ops-tables.ts';
import { readJson, writeOnce } from '../run/run-folder.ts';
import { factsKey, listWaiting } from './facts-folder.ts';

/** The property of the table of models' runs that says for how many days facts stay. */
export const FACTS_RETENTION = 'strata.facts.retention-days';
/** Two years, where the pipeline doesn't say. */
export const DEFAULT_FACTS_DAYS = 731;

/** To add rows to three tables takes about as long as a small run has for a tenth of its work: so many share it. */
export const FOLDED_TOGETHER = 16;
/** A run that takes in so many bytes doesn't notice. */
const LARGE_BYTES = 16 * 2 ** 20;
/** What one run adds of those that wait; the next one adds more. */
const MOST_FOLDED = 1_000;

/** What waits, and whether this run adds it to the tables. Repeated by a run that died since, it decides alike. */
export type Waiting = { readonly due: boolean; readonly keys: readonly string[]; readonly before: readonly RunFacts[] };

export async function findWaiting(deps: Pick<StepDeps, 'store' | 'catalog' | 'log'>, plan: RunPlan): Promise<Waiting> {
  const own = factsKey(plan);
  const keys = (await listWaiting(deps.store, plan.run.pipeline)).filter((key) => key !== own).slice(0, MOST_FOLDED);
  const due = keys.length + 1 >= FOLDED_TOGETHER || bytesOf(plan) >= LARGE_BYTES || (await isBegun(deps, plan));
  return due ? { due, keys, before: await readFacts(deps, keys) } : { due, keys: [], before: [] };
}

/** One that somebody has damaged must not keep the pipeline's runs from ending. */
async function readFacts(
  { store, log }: Pick<StepDeps, 'store' | 'log'>,
  keys: readonly string[],
): Promise<readonly RunFacts[]> {
  const all = await mapConcurrent(keys, async (key) => {
    const facts = await readJson<unknown>(store, key).catch((cause: unknown) => {
      if (!(cause instanceof SyntaxError)) throw cause;
      return undefined;
    });
    if (areFacts(facts)) return [facts];
    log.warn('facts of a run are none and are left out', { key });
    return [];
  });
  return all.flat();
}

/** What an earlier or a later release put down may lack a table. */
function areFacts(found: unknown): found is RunFacts {
  if (!isRecord(found)) return false;
  const tables = [...FACT_TABLES, 'runs', 'approvals'].map((name) => found[name] ?? []);
  return tables.every((rows) => Array.isArray(rows) && rows.every(isRecord));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bytesOf({ sources }: RunPlan): number {
  return Object.values(sources).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Some of the tables are not there yet, or this run has already added to the first of them. */
async function isBegun({ catalog }: Pick<StepDeps, 'catalog'>, { run }: RunPlan): Promise<boolean> {
  const tables = await mapConcurrent(FACT_TABLES, (name) => loadTable(catalog, opsTable(run.pipeline, name)));
  return tables.some((table) => table === undefined || findRun(table.metadata, run.run_id) !== undefined);
}

/** Adds what waits and a run's own to the tables where that is due; else puts its own down. */
export async function keepFacts(
  deps: StepDeps,
  plan: RunPlan,
  facts: RunFacts,
  { due, before }: Waiting,
): Promise<void> {
  if (!due) {
    await writeOnce(deps.store, factsKey(plan), facts);
    return;
  }
  const all = [...before, facts];
  await using session = await deps.engine.open(deps.settings);
  for (const name of FACT_TABLES) {
    const placed = await stageOpsRows(deps, session, plan, { name, rows: rowsOf(all, name) });
    const days = String(plan.spec.settings.factsRetentionDays ?? DEFAULT_FACTS_DAYS);
    const own = name === 'model_runs' ? { [FACTS_RETENTION]: days } : {};
    await commitOps(deps, plan.run, name, placed, { kind: 'nothing' }, own);
  }
  await commitOps(deps, plan.run, DIAGNOSTICS, []);
}

export function rowsOf(all: readonly RunFacts[], name: FactTable | 'runs' | 'approvals'): readonly BookRow[] {
  return all.flatMap((one) => one[name] ?? []);
}
