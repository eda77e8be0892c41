import { opsTable } from '../../core/ops.ts';
import { NO_ROWS, type RowCounts, type SourceCounts } from '../../core/row-counts.ts';
import type { RunPlan } from '../../core/run.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import { OPS_FILE_BYTES, opsTarget } from '../../lake/ops/ops-tables.ts';
import { readJsonIfAny, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { countAlike, recordsByFile, type SettledBooks, type SourceOutcome } from '../../lake/run/run-records.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { loadQuarantine } from '../../lake/tables/table-state.ts';
import type { Target } from '../../lake/tables/target.ts';
import { renderScan } from '../../sql/scan.ts';
import { countShared, createShared, selectShared } from '../../sql/shared-quarantine.ts';

/**
 * The rejected rows and the accounts of a run as they are published. What all tables of a source rejected alike is one row
 * and one account; what only some did is theirs by name. Repeating it finds the first answer.
 */
export async function settleBooks(
  deps: StepDeps,
  plan: RunPlan,
  sources: readonly SourceOutcome[],
): Promise<SettledBooks> {
  const key = runFolder.settled(plan.run);
  const before = sources.some(needsSettling) ? await readJsonIfAny<SettledBooks>(deps.store, key) : undefined;
  if (before !== undefined) return before;
  const metadata = await loadQuarantine(deps.store, plan);
  const settled: Settled[] = [];
  for (const source of sources) {
    settled.push(needsSettling(source) ? await settleSource(deps, plan, source, metadata) : settleAlike(source));
  }
  const books: SettledBooks = {
    quarantine: settled.flatMap(({ quarantine }) => quarantine),
    accounting: Object.fromEntries(sources.map(({ source }, i) => [source, settled[i]?.counts ?? NO_ROWS])),
    replaced: settled.flatMap(({ replaced }) => replaced),
  };
  return sources.some(needsSettling) ? await writeOnce(deps.store, key, books) : books;
}

type Settled = Pick<SettledBooks, 'quarantine' | 'replaced'> & { readonly counts: SourceCounts };

/** Rows that several tables read have to be held against each other. */
function needsSettling({ tables, whole }: SourceOutcome): boolean {
  return (tables.length > 1 || !whole) && tables.some(({ outcome }) => outcome.quarantine.length > 0);
}

function settleAlike(source: SourceOutcome): Settled {
  const quarantine = source.tables.flatMap(({ outcome }) => outcome.quarantine);
  return { quarantine, replaced: [], counts: countSource(source, NO_ROWS) };
}

async function settleSource(
  deps: StepDeps,
  plan: RunPlan,
  source: SourceOutcome,
  metadata: TableMetadata | undefined,
): Promise<Settled> {
  const target = opsTarget(deps, 'quarantine', opsTable(plan.run.pipeline, 'quarantine'), metadata && { metadata });
  const tables = source.tables.map(({ table, outcome }) => ({ table, keys: outcome.quarantine.map(({ key }) => key) }));
  await using staged = await deps.store.borrow(tables.flatMap(({ keys }) => keys));
  await using session = await deps.engine.open(deps.settings);
  await using scratch = await openScratch(deps, `rejected-${source.source}`);
  const rows = ({ keys }: { readonly keys: readonly string[] }) =>
    renderScan(
      scanColumns(target),
      keys.map((key) => pathOf(staged, key)),
    );
  await session.run(createShared(tables.map((one) => ({ table: one.table, rows: rows(one) }))));
  const counted = (await session.rows(countShared()))[0];
  const rejected = {
    ...NO_ROWS,
    quarantined: Number(counted?.['quarantined']),
    condemned: Number(counted?.['condemned']),
  };
  const from = selectShared(source.whole ? tables.length : undefined);
  const stem = `${plan.run.run_id}-${source.source}`;
  const { placed } = await stageFiles(
    session,
    { from, target, folder: scratch.folder, fileBytes: OPS_FILE_BYTES, stem },
    deps,
  );
  return { quarantine: placed, replaced: tables.flatMap(({ keys }) => keys), counts: countSource(source, rejected) };
}

function scanColumns(target: Target): Parameters<typeof renderScan>[0] {
  const ids = new Map(target.schema.fields.map(({ name, id }) => [name, id]));
  return target.columns.map((column) => ({ ...column, id: ids.get(column.name) ?? -1 }));
}

/**
 * The account of a source. Where its tables count differently it says what the contract made of the rows, `rejected` by
 * it, and each table has an account of its own beside it.
 */
function countSource({ tables }: SourceOutcome, rejected: RowCounts): SourceCounts {
  const [first] = tables;
  if (first === undefined) return NO_ROWS;
  if (countAlike(tables)) return first.outcome.counts;
  const most = new Map<string, number>();
  for (const { outcome } of tables) {
    for (const [file, records] of recordsByFile(outcome)) most.set(file, Math.max(records, most.get(file) ?? 0));
  }
  const read = [...most.values()].reduce((sum, n) => sum + n, 0);
  const { quarantined, condemned } = rejected;
  const own = Object.fromEntries(tables.map(({ table, outcome }) => [table, outcome.counts]));
  return {
    read,
    accepted: read - quarantined - condemned,
    quarantined,
    condemned,
    duplicates: 0,
    tables: own,
  };
}
