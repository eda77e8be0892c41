import { dedupesByHash } from '../../core/dedupe.ts';
import { opsTable } from '../../core/ops.ts';
import { NO_ROWS, type RowCounts, type SourceCounts } from '../../core/row-counts.ts';
import type { RunPlan } from '../../core/run.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import { OPS_FILE_BYTES, opsTarget } from '../../lake/ops/ops-tables.ts';
import { readJsonIfAny, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import {
  countAlike,
  recordsByFile,
  type SettledBooks,
  type SourceOutcome,
  type SourceTable,
} from '../../lake/run/run-records.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { findModel, loadQuarantine } from '../../lake/tables/table-state.ts';
import type { Target } from '../../lake/tables/target.ts';
import type { Row } from '../../ports.ts';
import { renderScan } from '../../sql/scan.ts';
import { countByReader, countShared, createShared, selectShared, withoutEqual } from '../../sql/shared-quarantine.ts';

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
  const before = sources.some((source) => needsSettling(plan, source))
    ? await readJsonIfAny<SettledBooks>(deps.store, key)
    : undefined;
  if (before !== undefined) return before;
  const metadata = await loadQuarantine(deps.store, plan);
  const settled: Settled[] = [];
  for (const source of sources) {
    const settle = needsSettling(plan, source);
    settled.push(settle ? await settleSource(deps, plan, source, metadata) : settleAlike(source));
  }
  const books: SettledBooks = {
    quarantine: settled.flatMap(({ quarantine }) => quarantine),
    accounting: Object.fromEntries(sources.map(({ source }, i) => [source, settled[i]?.counts ?? NO_ROWS])),
    replaced: settled.flatMap(({ replaced }) => replaced),
  };
  return sources.some((source) => needsSettling(plan, source)) ? await writeOnce(deps.store, key, books) : books;
}

type Settled = Pick<SettledBooks, 'quarantine' | 'replaced'> & { readonly counts: SourceCounts };

/** Rows that several tables read have to be held against each other, and equal ones of the parts of a file. */
function needsSettling(plan: RunPlan, { tables, whole }: SourceOutcome): boolean {
  if ((tables.length > 1 || !whole) && tables.some(({ outcome }) => outcome.quarantine.length > 0)) return true;
  return tables.some((table) => mayRepeat(plan, table));
}

/** Whether equal rows, of which the table keeps one, may have been rejected in several parts of a file. */
function mayRepeat({ spec }: RunPlan, { model, outcome }: SourceTable): boolean {
  return outcome.inParts && outcome.quarantine.length > 1 && dedupesByHash(findModel(spec, model));
}

function settleAlike(source: SourceOutcome): Settled {
  const quarantine = source.tables.flatMap(({ outcome }) => outcome.quarantine);
  return { quarantine, replaced: [], counts: countSource(source.tables, NO_ROWS) };
}

async function settleSource(
  deps: StepDeps,
  plan: RunPlan,
  source: SourceOutcome,
  metadata: TableMetadata | undefined,
): Promise<Settled> {
  const target = opsTarget(deps, 'quarantine', opsTable(plan.run.pipeline, 'quarantine'), metadata && { metadata });
  const tables = source.tables.map((one) => ({
    table: one.table,
    keys: one.outcome.quarantine.map(({ key }) => key),
    repeats: mayRepeat(plan, one),
  }));
  await using staged = await deps.store.borrow(tables.flatMap(({ keys }) => keys));
  await using session = await deps.engine.open(deps.settings);
  await using scratch = await openScratch(deps, `rejected-${source.source}`);
  const csv = plan.spec.sources.some(({ name, format }) => name === source.source && format.kind === 'csv');
  const rows = ({ keys, repeats }: (typeof tables)[number]): Sql => {
    const paths = keys.map((key) => pathOf(staged, key));
    const scan = renderScan(scanColumns(target), paths);
    return repeats ? withoutEqual(scan, csv) : scan;
  };
  await session.run(createShared(tables.map((one) => ({ table: one.table, rows: rows(one) }))));
  const counted = (await session.rows(countShared()))[0];
  const rejected = {
    ...NO_ROWS,
    quarantined: Number(counted?.['quarantined']),
    condemned: Number(counted?.['condemned']),
  };
  const left = new Map((await session.rows(countByReader())).map((row) => [String(row['reader_name']), row]));
  const once = source.tables.map((one) => (mayRepeat(plan, one) ? countOnce(one, left.get(one.table)) : one));
  const from = selectShared(source.whole ? tables.length : undefined);
  const stem = `${plan.run.run_id}-${source.source}`;
  const { placed } = await stageFiles(
    session,
    { from, target, folder: scratch.folder, fileBytes: OPS_FILE_BYTES, stem },
    deps,
  );
  return { quarantine: placed, replaced: tables.flatMap(({ keys }) => keys), counts: countSource(once, rejected) };
}

/** Rejected rows that are not left were duplicates. */
function countOnce(table: SourceTable, left: Row = {}): SourceTable {
  const { counts } = table.outcome;
  const [quarantined, condemned] = [Number(left['quarantined'] ?? 0), Number(left['condemned'] ?? 0)];
  const duplicates = counts.duplicates + counts.quarantined - quarantined + counts.condemned - condemned;
  return { ...table, outcome: { ...table.outcome, counts: { ...counts, quarantined, condemned, duplicates } } };
}

function scanColumns(target: Target): Parameters<typeof renderScan>[0] {
  const ids = new Map(target.schema.fields.map(({ name, id }) => [name, id]));
  return target.columns.map((column) => ({ ...column, id: ids.get(column.name) ?? -1 }));
}

/**
 * The account of a source. Where its tables count differently it says what the contract made of the rows, `rejected` by
 * it, and each table has an account of its own beside it.
 */
function countSource(tables: SourceOutcome['tables'], rejected: RowCounts): SourceCounts {
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
