import type { MaintenancePlan } from '../../core/maintenance.ts';
import type { BaseTable, RunPlan, RunRef } from '../../core/run.ts';
import { modelId } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import type { ObjectStore } from '../../ports.ts';
import { readOpenRun } from '../run/open-run.ts';
import { readPlanIfAny, runFolder } from '../run/run-folder.ts';
import { modelTables } from '../tables/table-state.ts';
import { readMaintenancePlan } from './maintenance-folder.ts';

/** What unfinished runs of any pipeline need of one table. */
export type Needs = {
  /** Snapshots on which they build. */
  readonly bases: ReadonlySet<bigint>;
  /** Locations of metadata files by which they know the table. */
  readonly locations: ReadonlySet<string>;
  /** Unfinished runs of the table's own pipeline, by whose ids they find out what they have published. */
  readonly runs: ReadonlySet<string>;
  /** When the first of these was planned, by the store's clock, in ms since the epoch: what they may publish came after that. */
  readonly since: number;
};

/** A plan, and when the store took it, in ms since the epoch. */
export type UnfinishedPlan = { readonly plan: RunPlan | MaintenancePlan; readonly since: number };

/** The plans of all runs that have begun and not ended, compactions among them, of every pipeline of the lake. */
export async function unfinishedPlans(store: ObjectStore): Promise<readonly UnfinishedPlan[]> {
  const plans: UnfinishedPlan[] = [];
  for (const pipeline of await store.folders('ops/')) {
    for (const whose of [{ pipeline }, { pipeline, kind: 'maintenance' }] as const) {
      const { run } = await readOpenRun(store, whose);
      const plan = run === undefined ? undefined : await unfinishedPlan(store, run);
      if (plan !== undefined) plans.push(plan);
    }
  }
  return plans;
}

async function unfinishedPlan(store: ObjectStore, run: RunRef): Promise<UnfinishedPlan | undefined> {
  if ((await store.head(runFolder.result(run))) !== undefined) return undefined;
  const object = await store.head(runFolder.plan(run));
  if (object === undefined) return undefined;
  const plan = run.kind === 'maintenance' ? await readMaintenancePlan(store, run) : await readPlanIfAny(store, run);
  return plan === undefined ? undefined : { plan, since: object.modified };
}

export function needsOf(id: TableId, plans: readonly UnfinishedPlan[]): Needs {
  const bases = plans.flatMap(({ plan }) => basesIn(plan, id));
  const own = plans.filter(({ plan }) => plan.run.pipeline === id.pipeline);
  return {
    bases: new Set(bases.flatMap((base) => (base.snapshot_id === null ? [] : [BigInt(base.snapshot_id)]))),
    locations: new Set(bases.map((base) => base.metadata_location)),
    runs: new Set(own.map(({ plan }) => plan.run.run_id)),
    since: Math.min(...own.map(({ since }) => since)),
  };
}

/** The states of a table that a plan pins: the one it goes on from, or reads. */
function basesIn(plan: RunPlan | MaintenancePlan, id: TableId): readonly BaseTable[] {
  const name = fullName(id);
  if (!('spec' in plan)) return plan.tables.flatMap(({ table, base }) => (fullName(table) === name ? [base] : []));
  const own = [...modelTables(plan.spec)].flatMap(([known, table]) => (fullName(table) === name ? [known] : []));
  const others = (plan.spec.others ?? []).flatMap((other) => (fullName(other) === name ? [modelId(other)] : []));
  const books = id.layer === 'ops' && id.pipeline === plan.run.pipeline && id.name === 'quarantine';
  const pinned = [...own, ...others].map((known) => plan.tables[known]);
  return [...pinned, books ? plan.quarantine : undefined].filter((base) => base !== undefined && base !== null);
}
