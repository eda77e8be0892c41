import type { ModelPlan, RunPlan } from '../../core/run.ts';
import { filesOfRanges } from '../../iceberg/key-ranges.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { ModelOutcome } from '../../lake/run/unit-result.ts';
import { loadRows } from '../../lake/tables/table-state.ts';
import { planFiles } from '../../table/read.ts';
import type { Removal } from '../../table/removal.ts';

/** What goes of a keyed table whose keys lie in ranges, and of its log, of which all is written anew or nothing; undefined for a table in buckets. */
export type RemovedRanges = { readonly history: Removal; readonly log: Removal } | undefined;

const NOTHING: Removal = { kind: 'nothing' };

export async function removedRanges(
  { store }: StepDeps,
  plan: RunPlan,
  planned: ModelPlan,
  { ranges, rewritten, relogged }: ModelOutcome,
): Promise<RemovedRanges> {
  if (planned.ranges === undefined) return undefined;
  const metadata = await loadRows(store, plan, planned.shape.id);
  if (metadata === undefined) return { history: NOTHING, log: NOTHING };
  const log: Removal = relogged.length > 0 ? { kind: 'all' } : NOTHING;
  if (planned.rebuild) return { history: rewritten.length > 0 ? { kind: 'all' } : NOTHING, log };
  const all = ranges === undefined ? [] : await planFiles(store, metadata);
  const files = ranges === undefined ? [] : filesOfRanges(metadata, ranges, rewritten, all);
  return { history: files.length === 0 ? NOTHING : { kind: 'files', files }, log };
}
