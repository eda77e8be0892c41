import {
  type CompactedTable,
  type LeftPartition,
  type MaintenancePlan,
  REWRITE_REASONS,
  type RewriteReason,
} from '../../core/maintenance.ts';
import { fullName } from '../../core/tables.ts';
import { type CompactionMeasured, costOfCompaction } from '../../plan/compaction-cost.ts';
import type { StepDeps } from '../deps.ts';
import { recordRun } from '../ops/record-run.ts';
import { priceBy } from '../ops/run-row.ts';
import { readJsonIfAny } from '../run/run-folder.ts';
import { maintenancePlaces, type TableRound } from './maintenance-folder.ts';

/** What all rounds of a run did together. */
export type MaintenanceOutcome = {
  readonly tables: readonly CompactedTable[];
  readonly left: readonly LeftPartition[];
  readonly rounds: number;
};

export async function readOutcomes(deps: Pick<StepDeps, 'store'>, plan: MaintenancePlan): Promise<MaintenanceOutcome> {
  const rounds = await roundsOf(deps, plan);
  const tables: CompactedTable[] = [];
  const left: LeftPartition[] = [];
  for (const { id, table } of plan.tables) {
    const outcomes: TableRound[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const outcome = await readJsonIfAny<TableRound>(deps.store, maintenancePlaces.outcome(plan.run, round, id));
      if (outcome !== undefined) outcomes.push(outcome);
    }
    const all = outcomes.map((outcome) => outcome.done).reduce(addTables, nothingOf(fullName(table)));
    const done = outcomes.flatMap((outcome) => outcome.again ?? []).reduce(withoutAgain, all);
    if (done.files > 0 || done.manifests !== undefined) tables.push(done);
    left.push(...outcomes.flatMap((outcome) => outcome.left), ...yieldedLast(fullName(table), outcomes.at(rounds - 1)));
  }
  return { tables, left, rounds };
}

async function roundsOf({ store }: Pick<StepDeps, 'store'>, { run }: MaintenancePlan): Promise<number> {
  // The list of the first round may be empty: manifests are merged without any worker.
  for (let round = 0; ; round += 1)
    if ((await store.head(maintenancePlaces.units(run, round))) === undefined) return round;
}

function yieldedLast(table: string, last: TableRound | undefined): readonly LeftPartition[] {
  const reason = 'other runs changed it while it was rewritten; the next compaction tries again';
  return (last?.yielded ?? []).map(({ partition }) => ({ table, partition, reason }));
}

function nothingOf(table: string): CompactedTable {
  return { table, partitions: 0, files: 0, bytes: 0, rows: 0, files_after: 0, bytes_after: 0, reasons: {} };
}

/** What was written and written once more counts as the last time. */
function withoutAgain(all: CompactedTable, again: NonNullable<TableRound['again']>): CompactedTable {
  return {
    ...all,
    partitions: all.partitions - again.partitions,
    files: all.files - again.files,
    bytes: all.bytes - again.bytes,
    rows: all.rows - again.rows,
    files_after: all.files_after - again.files,
    bytes_after: (all.bytes_after ?? 0) - again.bytes,
    reasons: { ...all.reasons, order: (all.reasons.order ?? 0) - again.files },
  };
}

function addTables(a: CompactedTable, b: CompactedTable): CompactedTable {
  const reasons = new Map<RewriteReason, number>();
  for (const one of [a, b]) {
    for (const reason of REWRITE_REASONS) {
      const files = (reasons.get(reason) ?? 0) + (one.reasons[reason] ?? 0);
      if (files > 0) reasons.set(reason, files);
    }
  }
  return {
    table: a.table,
    partitions: a.partitions + b.partitions,
    files: a.files + b.files,
    bytes: a.bytes + b.bytes,
    rows: a.rows + b.rows,
    files_after: a.files_after + b.files_after,
    bytes_after: (a.bytes_after ?? 0) + (b.bytes_after ?? 0),
    reasons: Object.fromEntries(reasons),
    ...((a.manifests ?? b.manifests) ? { manifests: a.manifests ?? b.manifests } : {}),
  };
}

/** Enters a run that ended well into the table of runs: the files and rows that it has written anew, and what it cost, but for its end. */
export async function recordMaintenance(
  deps: StepDeps,
  plan: MaintenancePlan,
  measured: Pick<CompactionMeasured, 'units' | 'commit'>,
): Promise<void> {
  const { tables } = await readOutcomes(deps, plan);
  const sum = (of: (table: CompactedTable) => number): number => tables.reduce((total, one) => total + of(one), 0);
  const { priced_by: spec } = plan;
  await recordRun(
    deps,
    { ...plan, ...(spec && { spec }) },
    {
      status: 'SUCCEEDED',
      files: sum(({ files }) => files),
      rows_read: sum(({ rows }) => rows),
      rows_added: 0,
      error: null,
      ...priceBy(deps, spec, (compute) =>
        costOfCompaction({ ...measured, tables: plan.tables.length, planning_ms: plan.planning_ms }, compute),
      ),
    },
  );
}
