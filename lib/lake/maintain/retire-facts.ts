import type { Vacuumed } from '../../core/maintenance.ts';
import { type FactTable, opsTable } from '../../core/ops.ts';
import type { RunRef } from '../../core/run.ts';
import { fullName } from '../../core/tables.ts';
import type { Predicate } from '../../iceberg/predicate.ts';
import type { CatalogEntry } from '../../ports.ts';
import { countRetiredFacts, type Retired, renderFactsLeft, selectRetiredRuns } from '../../sql/facts/retired.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { DEFAULT_FACTS_DAYS, FACTS_RETENTION } from '../facts/keep-facts.ts';
import { openOps } from '../ops/open-ops.ts';
import { DAY_MS, daysIn, retireFrom } from './retire-rows.ts';

/**
 * Takes facts out of their tables that are older than these keep them. Those of columns have no time: they go with their runs, which
 * the rows of models say, and so these go last. With `dry_run` it only counts.
 */
export async function retireFacts(deps: StepDeps, run: RunRef, nowMs: number): Promise<Vacuumed> {
  const id = opsTable(run.pipeline, 'model_runs');
  const models = await loadTable(deps.catalog, id);
  const none: Vacuumed = { table: fullName(id), kind: 'rows', files: 0, bytes: 0, rows: 0 };
  if (models === undefined) return none;
  const ms = nowMs - daysIn(models.metadata, FACTS_RETENTION, DEFAULT_FACTS_DAYS) * DAY_MS;
  const before = new Date(ms).toISOString();
  const runs = await oldRuns(deps, models, before);
  const older = (column: string): Predicate => ({ column, op: '<', value: BigInt(ms) * 1_000n });
  const retire = async (book: FactTable, predicate: Predicate, retired: Retired): Promise<number> => {
    const entry = book === 'model_runs' ? models : await loadTable(deps.catalog, opsTable(run.pipeline, book));
    if (entry === undefined) return 0;
    return retireFrom(deps, run, {
      ...{ book, entry, predicates: [predicate] },
      count: (table) => countRetiredFacts(table, retired),
      rest: (table) => renderFactsLeft(table, retired),
    });
  };
  if (runs.length === 0) return none;
  const quality = await retire('quality', { column: 'run_id', op: 'in', values: runs }, { runs });
  const lineage = await retire('lineage', older('at'), { column: 'at', before });
  const rows = await retire('model_runs', older('finished_at'), { column: 'finished_at', before });
  return { ...none, rows: quality + lineage + rows };
}

async function oldRuns(deps: StepDeps, { metadata }: CatalogEntry, before: string): Promise<readonly string[]> {
  const older: Predicate = { column: 'finished_at', op: '<', value: BigInt(Date.parse(before)) * 1_000n };
  await using session = await deps.engine.open(deps.settings);
  await using opened = await openOps(deps.store, session, 'model_runs', metadata, [older]);
  return (await session.rows(selectRetiredRuns(opened.relation, before))).map((row) => String(row['run_id']));
}
