import { opsTable } from '../core/ops.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { RUN_ID } from '../iceberg/snapshot.ts';
import { readPlanIfAny } from '../lake/run/run-folder.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';

/** Maintenance and commands have rows in the table of runs as well, and no such plan; nor have runs whose folders are gone. */
const MOST_LOOKED_AT = 20;

/** A pipeline as the latest run had it of which the plan is still there; undefined where there is none. */
export async function lastSpec(
  { catalog, store }: Pick<QueryDeps, 'catalog' | 'store'>,
  pipeline: string,
): Promise<PipelineSpec | undefined> {
  const runs = await loadTable(catalog, opsTable(pipeline, 'runs'));
  const newest = (runs?.metadata.snapshots ?? []).toReversed().slice(0, MOST_LOOKED_AT);
  for (const { summary } of newest) {
    const run_id = summary[RUN_ID];
    const plan = run_id === undefined ? undefined : await readPlanIfAny(store, { pipeline, run_id, dry_run: false });
    if (plan !== undefined) return plan.spec;
  }
  return undefined;
}
