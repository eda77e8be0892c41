import { EXPORT_STATES, type ExportOutcome, exportsAnything } from '../../core/exports.ts';
import { opsTable } from '../../core/ops.ts';
import type { RunPlan, TableOutcome } from '../../core/run.ts';
import { fullName } from '../../core/tables.ts';
import { findRun } from '../../iceberg/snapshot.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { exportTables, outcomesOf, type ToExport } from '../../lake/exports/export-tables.ts';
import { openOps } from '../../lake/ops/open-ops.ts';
import { commitOps, writeOpsRows } from '../../lake/ops/ops-tables.ts';
import type { LevelAudit } from '../../lake/run/run-records.ts';
import { loadState, tableIdOf } from '../../lake/tables/table-state.ts';
import { selectExported } from '../../sql/exports.ts';
import { loadTable } from '../../table/read.ts';

/**
 * Writes the exports of the tables that this run has published, and those of its branch, then `ops.exports`, by whose snapshot a resumed run knows
 * that it has. One that died before that writes the same bytes again, or finds them. Undefined where nothing is exported.
 */
export async function publishExports(
  deps: StepDeps,
  plan: RunPlan,
  audits: readonly LevelAudit[],
  published: Readonly<Record<string, TableOutcome>>,
): Promise<readonly ExportOutcome[] | undefined> {
  if (!exportsAnything(plan.spec)) return undefined;
  const tables = await tablesToExport(deps, plan, audits, published);
  const books = await loadTable(deps.catalog, opsTable(plan.run.pipeline, 'exports'));
  if (books !== undefined && findRun(books.metadata, plan.run.run_id) !== undefined) {
    await using session = await deps.engine.open(deps.settings);
    await using _exports = await openOps(deps.store, session, 'exports', books.metadata);
    const rows = await session.rows(selectExported(plan.run.run_id));
    const counted = rows.flatMap((row) => {
      const state = EXPORT_STATES.find((one) => one === row['state']);
      const [model, kind, n] = [String(row['model']), String(row['kind']), Number(row['n'])];
      return state === undefined ? [] : [{ model, kind, state, n }];
    });
    return outcomesOf(tables, counted);
  }
  const { run, spec, created_at: at } = plan;
  const rows = await exportTables(deps, { run, spec, at, tables, reissue: false });
  await commitOps(deps, run, 'exports', await writeOpsRows(deps, plan, 'exports', rows));
  return outcomesOf(tables, rows);
}

async function tablesToExport(
  deps: StepDeps,
  plan: RunPlan,
  audits: readonly LevelAudit[],
  published: Readonly<Record<string, TableOutcome>>,
): Promise<readonly ToExport[]> {
  const tables = audits.flatMap(({ models }) => models.flatMap((model) => model.tables));
  const changed = new Set(tables.filter(({ prepared }) => prepared).map(({ id }) => id));
  const found: ToExport[] = [];
  for (const model of plan.spec.models) {
    const exports = (model.exports ?? []).filter(({ branch }) =>
      branch === undefined ? changed.has(model.id) : branch === plan.branch?.name,
    );
    const metadata = exports.length === 0 ? undefined : await loadState(deps.store, plan, model.id);
    const snapshot_id =
      published[fullName(tableIdOf(plan.spec, model))]?.snapshot_id ?? plan.tables[model.id]?.snapshot_id ?? null;
    if (metadata !== undefined) found.push({ model, metadata, snapshot_id, exports });
  }
  return found;
}
