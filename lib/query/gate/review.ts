import { DEFAULT_COMPUTE } from '../../core/compute.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { Parity } from '../../core/parity.ts';
import type { Approval, GateRecord } from '../../core/promote.ts';
import type { SourceCounts } from '../../core/row-counts.ts';
import type { RunPlan } from '../../core/run.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { findGated } from '../../lake/gate/decide-run.ts';
import { changedIn, digestsOf, movedOn } from '../../lake/gate/digest.ts';
import { readApproval } from '../../lake/gate/gate-folder.ts';
import { readParities } from '../../lake/ops/parities.ts';
import { readPlanIfAny, runFolder } from '../../lake/run/run-folder.ts';
import { type LevelAudit, readAudits, readSources } from '../../lake/run/run-records.ts';
import { readTimings } from '../../lake/run/timings.ts';
import { loadState, modelTables } from '../../lake/tables/table-state.ts';
import { costOfRun } from '../../plan/cost.ts';
import { parsePrepared } from '../../table/prepare.ts';
import { loadTable } from '../../table/read.ts';
import type { QueryDeps } from '../deps.ts';
import { diffSides, type TableDiff } from '../diff/diff-tables.ts';
import { usualKey } from '../diff/key-of-table.ts';
import { sideOf } from '../diff/side.ts';
import { listRuns } from '../list-runs.ts';

/** A table as it would be published; `diff` is null for one that has not been published before. */
export type ReviewedTable = { readonly table: string; readonly rows: number; readonly diff: TableDiff | null };

/** All that there is to know of a run before it is decided about. */
export type Review = Pick<GateRecord, 'run_id' | 'expires_at' | 'digest' | 'conditions'> & {
  readonly pipeline: string;
  readonly since: string;
  /** Null: nobody has decided. */
  readonly decided: Approval | null;
  /** What is no longer as it was prepared, and tables with other rows than it goes on from: with any of these it is not approved. */
  readonly changed: readonly string[];
  readonly moved: readonly string[];
  /** By the table that counts. */
  readonly accounting: Readonly<Record<string, SourceCounts>>;
  readonly expectations: { readonly held: number; readonly warnings: readonly string[] };
  readonly tables: readonly ReviewedTable[];
  /** What it has found of other texts of models; empty where it was not asked to compare any. */
  readonly parities: readonly Parity[];
  /** Milliseconds that its steps took, those of the half of runs that took no longer, and US dollars on AWS so far. */
  readonly duration_ms: number;
  readonly p50_ms: number | null;
  readonly cost_usd: number;
};

type ReviewDeps = QueryDeps & Pick<StepDeps, keyof StepDeps>;

/**
 * What a run has prepared, beside what is published. `sample`: rows of each kind that are shown of a table. Throws InvalidInput for one that
 * never had to be decided about, or of which nothing is left.
 */
export async function reviewRun(deps: ReviewDeps, runId: string, sample: number, pipeline?: string): Promise<Review> {
  const { run, gate } = await findGated(deps, runId, pipeline);
  const approval = await readApproval(deps.store, run);
  const plan = await readPlanIfAny(deps.store, run);
  // Of a run that was undone there is nothing to look at.
  if (plan === undefined) {
    const ended = approval === undefined ? 'failed' : `was ${approval.decision} by ${approval.by} at ${approval.at}`;
    throw new InvalidInput(`run ${runId} of ${run.pipeline} ${ended}, and nothing of it is left to review`);
  }
  const audits = await readAudits(deps, plan);
  const tables: ReviewedTable[] = [];
  for (const [id, table] of modelTables(plan.spec)) {
    const reviewed = await reviewTable(deps, plan, { id, table }, sample);
    if (reviewed !== undefined) tables.push(reviewed);
  }
  const steps = await readTimings(deps, plan, audits, { ms: 0 });
  const { run_id, at, expires_at, digest, conditions } = gate;
  return {
    run_id,
    pipeline: run.pipeline,
    since: at,
    expires_at,
    digest,
    decided: approval ?? null,
    changed: changedIn(gate.parts, await digestsOf(deps.store, plan)),
    moved: await movedOn(deps, plan),
    accounting: await accountsOf(deps, plan),
    expectations: expectationsOf(plan, audits),
    conditions,
    tables,
    parities: (await readParities(deps, plan)) ?? [],
    duration_ms: Date.parse(at) - Date.parse(plan.created_at) + plan.planning_ms,
    p50_ms: await usualDuration(deps, run.pipeline),
    cost_usd: costOfRun(
      { status: 'SUCCEEDED', steps, tables: {}, gate: 'passed' },
      plan.spec.compute ?? DEFAULT_COMPUTE,
    ).usd,
  };
}

async function reviewTable(
  deps: ReviewDeps,
  plan: RunPlan,
  { id, table }: { readonly id: string; readonly table: TableId },
  sample: number,
): Promise<ReviewedTable | undefined> {
  const key = runFolder.table(plan.run, id);
  const metadata = (await deps.store.head(key)) === undefined ? undefined : await loadState(deps.store, plan, id);
  if (metadata === undefined) return undefined;
  const text = new TextDecoder().decode((await deps.store.read(key)).bytes);
  const snapshot = parsePrepared(text, deps.store.location(tablePrefix(table))).snapshot ?? currentSnapshot(metadata);
  const rows = Number(snapshot?.summary['total-records'] ?? 0);
  const published = await loadTable(deps.catalog, table);
  if (published === undefined) return { table: fullName(table), rows, diff: null };
  const from = sideOf(deps, { ...published, id: table }, currentSnapshot(published.metadata));
  const to = sideOf(deps, { ...published, id: table, metadata }, snapshot);
  const asked = { key: usualKey(from, to, plan.spec), tolerances: {}, ignore: [], sample };
  return { table: fullName(table), rows, diff: await diffSides(from, to, asked) };
}

/** Of each source by its tables, as units have counted. */
async function accountsOf(deps: ReviewDeps, plan: RunPlan): Promise<Review['accounting']> {
  const sources = await readSources(deps, plan);
  return Object.fromEntries(
    sources.flatMap(({ tables }) => tables.map(({ table, outcome }) => [table, outcome.counts])),
  );
}

function expectationsOf({ spec }: RunPlan, audits: readonly LevelAudit[]): Review['expectations'] {
  const audited = audits.flatMap(({ models }) => models);
  const declared = spec.models
    .filter(({ id }) => audited.some(({ model }) => model === id))
    .reduce((sum, { expect }) => sum + expect.length, 0);
  const warnings = audited.flatMap((one) => one.warnings);
  return { held: Math.max(0, declared - warnings.length), warnings };
}

/** Of the last runs that have succeeded. */
async function usualDuration(deps: QueryDeps, pipeline: string): Promise<number | null> {
  const runs = (await listRuns(deps, pipeline)).filter(
    (row) => row['status'] === 'SUCCEEDED' && (row['kind'] ?? 'run') === 'run',
  );
  const took = runs.slice(0, LAST_RUNS).map((row) => Number(row['duration_ms']));
  return took.sort((a, b) => a - b)[Math.ceil(took.length / 2) - 1] ?? null;
}

const LAST_RUNS = 100;
