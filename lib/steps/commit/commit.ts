import { mapConcurrent } from '../../core/concurrency.ts';
import { AuditFailed } from '../../core/errors.ts';
import { OPS_TABLE_NAMES, opsTable } from '../../core/ops.ts';
import type { FileOutcome, RunPlan, RunState, TableOutcome } from '../../core/run.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { checkBreaker, rearmBreaker } from '../../lake/ops/breaker.ts';
import { commitOps, writeOpsRows } from '../../lake/ops/ops-tables.ts';
import { recordRun } from '../../lake/ops/record-run.ts';
import { stageReleased } from '../../lake/ops/release.ts';
import { forgetDeaths } from '../../lake/run/deaths.ts';
import { decideToCommit, readDecision } from '../../lake/run/decision.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import type { LevelAudit } from '../../lake/run/run-records.ts';
import {
  type CommitRecord,
  outcomeOf,
  readAudits,
  readSources,
  type SourceOutcome,
} from '../../lake/run/run-records.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { type ModelOutcome, withoutLeft } from '../../lake/run/unit-result.ts';
import { findModel, tableIdOf } from '../../lake/tables/table-state.ts';
import type { JsonValue } from '../../ports.ts';
import { commitChange } from '../../table/commit.ts';
import { parsePrepared } from '../../table/prepare.ts';
import { loadTable } from '../../table/read.ts';
import type { Removal } from '../../table/removal.ts';
import { trimMetadata } from '../../table/trim.ts';
import { checkSuspended } from './check-suspended.ts';

/**
 * Publishes the run: every prepared table in level order, then quarantine, accounting and the ledger. Each table says
 * by its snapshots whether the run is in it already, so that a run which died on the way is rolled forward by running
 * this again. A dry run publishes nothing.
 */
export async function runCommit(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run } = state;
  if ((await deps.store.head(runFolder.commit(run))) !== undefined) return state;
  const measure = startMeasuring(deps);
  const plan = await readPlan(deps.store, run);
  const sources = await readSources(deps, plan);
  const audits = await readAudits(deps, plan);
  await checkSuspended(deps, plan, sources);
  checkTargets(plan, sources, audits);
  await checkLeft(deps, plan, sources);
  if ((await readDecision(deps.store, run)) === undefined) await checkBreaker(deps, plan, quarantineOf(sources));
  if (!run.dry_run) await decideToCommit(deps.store, run, deps.clock.now().toISOString());
  const tables: Record<string, TableOutcome> = {};
  for (const { id, table, rows_added, files_added, prepared } of audits.flatMap((a) =>
    a.models.flatMap((m) => m.tables),
  )) {
    const snapshot_id = prepared ? await publish(deps, plan, id, table) : null;
    tables[fullName(table)] = { rows_added, files_added, snapshot_id };
  }
  if (!run.dry_run) {
    await publishBooks(deps, plan, sources);
    await rearmBreaker(deps.store, run.pipeline);
  }
  const accounting = Object.fromEntries(sources.map(({ source, outcome }) => [source, outcome.counts]));
  if (!run.dry_run) await recordRun(deps, plan, { status: 'SUCCEEDED', accounting, tables, error: null });
  const record: CommitRecord = { tables, accounting, ...measure(RECORDING) };
  await writeOnce(deps.store, runFolder.commit(run), record);
  if (!run.dry_run) await trimTables(deps, run.pipeline, audits);
  return { ...state, commit: measure() };
}

/** Once nothing of the run reads the tables as they were. What a crash here leaves goes with the table's next change. */
async function trimTables(deps: StepDeps, pipeline: string, audits: readonly LevelAudit[]): Promise<void> {
  const changed = audits.flatMap((audit) =>
    audit.models.flatMap((model) => model.tables.filter((one) => one.prepared)),
  );
  const books = OPS_TABLE_NAMES.map((name) => opsTable(pipeline, name));
  await mapConcurrent([...changed.map((one) => one.table), ...books], async (id) => {
    const entry = await loadTable(deps.catalog, id);
    if (entry !== undefined) await trimMetadata(deps.store, entry);
  });
}

async function publish(deps: StepDeps, plan: RunPlan, id: string, table: TableId): Promise<string | null> {
  const text = new TextDecoder().decode((await deps.store.read(runFolder.table(plan.run, id))).bytes);
  const prepared = parsePrepared(text);
  const snapshot = plan.run.dry_run ? prepared.snapshot : (await commitChange(deps, table, prepared)).snapshot;
  return snapshot === undefined ? null : snapshot['snapshot-id'].toString();
}

/** The first model of a source keeps its accounts; the others must have accepted as many rows. */
function checkTargets(plan: RunPlan, sources: readonly SourceOutcome[], audits: readonly LevelAudit[]): void {
  for (const { source, outcome } of sources) {
    for (const audit of audits.flatMap((a) => a.models)) {
      const model = findModel(plan.spec, audit.model);
      if (model.layer !== 'silver' || model.from !== source || model.mode.kind !== 'append') continue;
      if (audit.counts.accepted === outcome.counts.accepted) continue;
      throw new AuditFailed(
        `source ${source}: ${outcome.counts.accepted} rows were accepted but ${audit.counts.accepted} reached ${fullName(tableIdOf(plan.spec, model))}; nothing is published`,
      );
    }
  }
}

/** All tables of a source have the rows of the same files, or the ledger would be true of some of them alone. */
async function checkLeft(deps: StepDeps, plan: RunPlan, sources: readonly SourceOutcome[]): Promise<void> {
  for (const { source, outcome } of sources) {
    const left = namesOf(outcome);
    for (const model of plan.spec.models.filter((m) => m.layer === 'silver' && m.from === source)) {
      const other = namesOf(await outcomeOf(deps, plan, model.id));
      const only = [...left, ...other].find((name) => !(left.has(name) && other.has(name)));
      if (only === undefined) continue;
      throw new AuditFailed(
        `source ${source}: ${only} changed while the run read it, so that some of its tables have its rows and others have not; ` +
          'nothing is published. Run again',
      );
    }
  }
}

function namesOf(outcome: ModelOutcome | undefined): ReadonlySet<string> {
  return new Set((outcome?.left ?? []).map(({ key }) => key));
}

function quarantineOf(sources: readonly SourceOutcome[]): readonly Placed[] {
  return sources.flatMap((s) => s.outcome.quarantine);
}

/** The table property by which maintenance knows how long condemned rows are kept, in days. */
const CONDEMNED_RETENTION = 'strata.quarantine.condemned-retention-days';

/** What files being reprocessed left in quarantine is released, since they are taken as if for the first time. */
async function publishQuarantine(deps: StepDeps, plan: RunPlan, sources: readonly SourceOutcome[]): Promise<void> {
  const { withdraw } = withoutLeft(
    plan,
    sources.flatMap((s) => s.outcome.left),
  );
  const released = withdraw.length === 0 ? undefined : await stageReleased(deps, plan.run, { files: withdraw });
  const files = [...(released?.files ?? []), ...quarantineOf(sources)];
  const remove: Removal = released === undefined ? { kind: 'nothing' } : { kind: 'all' };
  const days = String(plan.spec.settings.condemnedRetentionDays);
  await commitOps(deps, plan.run, 'quarantine', files, remove, { [CONDEMNED_RETENTION]: days });
}

async function publishBooks(deps: StepDeps, plan: RunPlan, sources: readonly SourceOutcome[]): Promise<void> {
  await publishQuarantine(deps, plan, sources);
  const accounting = sources.map(({ source, outcome }) => ({
    run_id: plan.run.run_id,
    source,
    ...outcome.counts,
    recorded_at: plan.created_at,
  }));
  await commitOps(deps, plan.run, 'accounting', await writeOpsRows(deps, plan, 'accounting', accounting));
  const ledger = sources.flatMap(({ source, outcome }) => outcome.files.map((f) => ledgerRow(plan, source, f)));
  await commitOps(deps, plan.run, 'files', await writeOpsRows(deps, plan, 'files', ledger));
  // From here on the ledger remembers them; a retry counts anew.
  for (const file of sources.flatMap(({ outcome }) => outcome.files.filter((f) => f.status === 'suspended'))) {
    await forgetDeaths(deps, plan.run.pipeline, file);
  }
}

function ledgerRow(plan: RunPlan, source: string, file: FileOutcome): { readonly [column: string]: JsonValue } {
  return { source, ...file, run_id: plan.run.run_id, ingested_at: plan.created_at };
}
