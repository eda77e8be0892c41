import { mapConcurrent } from '../../core/concurrency.ts';
import { objectName } from '../../core/objects.ts';
import { booksOf, DIAGNOSTICS, isFacts, opsTable } from '../../core/ops.ts';
import { PERSONAL_SOURCES, personalSources } from '../../core/personal.ts';
import { gatedBy } from '../../core/promote.ts';
import { NO_ROWS, type SourceCounts } from '../../core/row-counts.ts';
import type { RunPlan, RunState, TableOutcome } from '../../core/run.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { claimDue, type KnownTable } from '../../lake/maintain/due.ts';
import { CONDEMNED_RETENTION } from '../../lake/maintain/retire-rows.ts';
import { recordPeriod } from '../../lake/ops/branches/record-period.ts';
import { rearmBreaker } from '../../lake/ops/breaker.ts';
import { commitOps, writeOpsRows } from '../../lake/ops/ops-tables.ts';
import { publishParities } from '../../lake/ops/parities.ts';
import { stageReleased, withdrawing } from '../../lake/ops/release.ts';
import { forgiveFile } from '../../lake/run/deaths.ts';
import { decideToCommit } from '../../lake/run/decision.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import {
  type CommitRecord,
  type LevelAudit,
  readAudits,
  type SettledBooks,
  type SourceOutcome,
} from '../../lake/run/run-records.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { withoutLeft } from '../../lake/run/unit-result.ts';
import type { JsonValue } from '../../ports.ts';
import { commitChange } from '../../table/commit.ts';
import { parsePrepared } from '../../table/prepare.ts';
import { loadTable } from '../../table/read.ts';
import type { Removal } from '../../table/removal.ts';
import { trimMetadata } from '../../table/trim.ts';
import { closeBooks } from './close-books.ts';
import { publishExports } from './publish-exports.ts';
import { NOTHING_KEPT, publishFacts } from './publish-facts.ts';
import { requireApproved } from './require-approved.ts';

/**
 * Publishes the run: every prepared table in level order, then quarantine, accounting and the ledger, and what is exported. Each table says
 * by its snapshots whether the run is in it already, so that a run which died on the way is rolled forward by running
 * this again. A dry run publishes nothing.
 */
export async function runCommit(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run } = state;
  if ((await deps.store.head(runFolder.commit(run))) !== undefined) return state;
  const measure = startMeasuring(deps);
  const plan = await readPlan(deps.store, run);
  const audits = await readAudits(deps, plan);
  const { sources, books } = await closeBooks(deps, plan);
  const approval = await requireApproved(deps, plan);
  if (!run.dry_run) await decideToCommit(deps.store, run, deps.clock.now().toISOString());
  const tables: Record<string, TableOutcome> = {};
  for (const { id, table, rows_added, files_added, prepared } of audits.flatMap((a) =>
    a.models.flatMap((m) => m.tables),
  )) {
    const snapshot_id = prepared ? await publish(deps, plan, id, table) : null;
    tables[fullName(table)] = { rows_added, files_added, snapshot_id };
  }
  let exported: CommitRecord['exports'];
  if (!run.dry_run) {
    await publishBooks(deps, plan, sources, books);
    exported = await publishExports(deps, plan, audits, tables);
    await publishParities(deps, plan);
    await recordPeriod(deps, plan, 'SUCCEEDED');
    await rearmBreaker(deps.store, run.pipeline);
  }
  const { accounting } = books;
  const { grown, folded } = run.dry_run
    ? NOTHING_KEPT
    : await publishFacts(deps, plan, { audits, tables, accounting, approval, commit: measure() });
  const record: CommitRecord = {
    tables,
    accounting,
    ...(exported && { exports: exported }),
    ...(approval && { gate: gatedBy(approval) }),
    ...(folded.length === 0 ? {} : { folded }),
    ...measure(RECORDING),
  };
  await writeOnce(deps.store, runFolder.commit(run), record);
  const changed = run.dry_run ? [] : await trimTables(deps, plan.spec, audits, grown);
  const follows = !run.dry_run && state.request.maintain !== false;
  const maintenance = follows ? await claimDue(deps, plan.spec, changed) : undefined;
  return { ...state, ...(maintenance === undefined ? {} : { maintenance }), commit: measure() };
}

/**
 * Once nothing of the run reads the tables as they were. What a crash here leaves goes with the table's next change. Answers
 * these tables and the books.
 */
async function trimTables(
  deps: StepDeps,
  spec: PipelineSpec,
  audits: readonly LevelAudit[],
  grown: boolean,
): Promise<readonly KnownTable[]> {
  const changed = audits.flatMap((audit) =>
    audit.models.flatMap((model) => model.tables.filter((one) => one.prepared)),
  );
  const written = booksOf(spec).filter((name) => name !== DIAGNOSTICS);
  const books = written.map((name) => opsTable(spec.name, name));
  const known = await mapConcurrent([...changed.map((one) => one.table), ...books], async (id) => {
    const entry = await loadTable(deps.catalog, id);
    // Most runs leave facts as they are.
    if (entry !== undefined && (grown || !isFacts(id))) await trimMetadata(deps.store, entry);
    return entry === undefined ? [] : [{ id, metadata: entry.metadata }];
  });
  return known.flat();
}

async function publish(deps: StepDeps, plan: RunPlan, id: string, table: TableId): Promise<string | null> {
  const text = new TextDecoder().decode((await deps.store.read(runFolder.table(plan.run, id))).bytes);
  const prepared = parsePrepared(text, deps.store.location(tablePrefix(table)));
  const snapshot = plan.run.dry_run ? prepared.snapshot : (await commitChange(deps, table, prepared)).snapshot;
  return snapshot === undefined ? null : snapshot['snapshot-id'].toString();
}

type OpsRow = { readonly [column: string]: JsonValue };

/** What files being reprocessed left in quarantine is released, since they are taken as if for the first time. */
async function publishQuarantine(
  deps: StepDeps,
  plan: RunPlan,
  sources: readonly SourceOutcome[],
  quarantine: readonly Placed[],
): Promise<void> {
  const { withdraw } = withoutLeft(
    plan,
    sources.flatMap(({ tables }) => tables.flatMap(({ outcome }) => outcome.left)),
  );
  const released =
    withdraw.length === 0 ? undefined : await stageReleased(deps, plan.run, withdrawing({ ...plan, withdraw }));
  const files = [...(released?.files ?? []), ...quarantine];
  const remove: Removal = released === undefined ? { kind: 'nothing' } : { kind: 'all' };
  const days = String(plan.spec.settings.condemnedRetentionDays);
  const personal = personalSources(plan.spec);
  await commitOps(deps, plan.run, 'quarantine', files, remove, {
    [CONDEMNED_RETENTION]: days,
    ...(personal.length === 0 ? {} : { [PERSONAL_SOURCES]: JSON.stringify(personal) }),
  });
}

async function publishBooks(
  deps: StepDeps,
  plan: RunPlan,
  sources: readonly SourceOutcome[],
  { quarantine, accounting }: SettledBooks,
): Promise<void> {
  await publishQuarantine(deps, plan, sources, quarantine);
  const accounts = sources.flatMap((one) => accountsOf(plan, one, accounting[one.source] ?? NO_ROWS));
  await commitOps(deps, plan.run, 'accounting', await writeOpsRows(deps, plan, 'accounting', accounts));
  const ledger = sources.flatMap((one) => ledgerOf(plan, one));
  await commitOps(deps, plan.run, 'files', await writeOpsRows(deps, plan, 'files', ledger));
  // From here on the ledger remembers them; a retry counts anew.
  for (const { model, outcome } of sources.flatMap(({ tables }) => tables)) {
    for (const file of outcome.files.filter(({ status }) => status === 'suspended')) {
      await forgiveFile(deps, { pipeline: plan.run.pipeline, model, file });
    }
  }
}

/** Of each file one row for all tables of its source, where all took it and the same came of it, or one for each that did. */
function ledgerOf(plan: RunPlan, { source, tables, whole }: SourceOutcome): readonly OpsRow[] {
  const taken = tables.flatMap(({ table, outcome }) => outcome.files.map((file) => ({ table, file })));
  const rows = ({ file, table }: (typeof taken)[number], table_name: string | null = table): OpsRow => ({
    source,
    ...file,
    run_id: plan.run.run_id,
    ingested_at: plan.created_at,
    table_name,
  });
  const byFile = Map.groupBy(taken, ({ file }) => `${file.etag} ${objectName(file)}`);
  return [...byFile.values()].flatMap((same) => {
    const [first] = same;
    const told = new Set(
      same.map(({ file }) => JSON.stringify([file.status, file.records, file.code, file.reason, file.place])),
    );
    const alike = whole && same.length === tables.length && told.size === 1;
    return alike && first !== undefined ? [rows(first, null)] : same.map((one) => rows(one));
  });
}

/** One account for all tables of a source that count alike, or one for each. */
function accountsOf(plan: RunPlan, { source, tables, whole }: SourceOutcome, counts: SourceCounts): readonly OpsRow[] {
  const row = ({ tables: _own, ...account }: SourceCounts, table_name: string | null): OpsRow => {
    return { run_id: plan.run.run_id, source, ...account, recorded_at: plan.created_at, table_name };
  };
  if (whole && counts.tables === undefined) return [row(counts, null)];
  const { tables: own, ...alike } = counts;
  return tables.map(({ table }) => row(own?.[table] ?? alike, table));
}
