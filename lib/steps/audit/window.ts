import { AuditFailed } from '../../core/errors.ts';
import type { RunPlan, TableShape } from '../../core/run.ts';
import { fullName } from '../../core/tables.ts';
import { partitionPath } from '../../iceberg/partition-path.ts';
import type { DataFile } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { dataFilesOf } from '../../lake/files/data-files.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { loadBase } from '../../lake/tables/table-state.ts';
import { planTarget } from '../../lake/tables/target.ts';
import { partitionsAnew } from '../../lake/tables/windowed.ts';
import { planFiles } from '../../table/read.ts';

/** Of a table of which some partitions are made anew: the files that go, and the paths of all partitions that change. */
export type WindowedTable = { readonly removed: readonly DataFile[]; readonly partitions: readonly string[] };

/** `undefined` for a table that the run writes in another way. Throws AuditFailed where files have another partitioning. */
export async function auditWindow(
  deps: StepDeps,
  plan: RunPlan,
  shape: TableShape,
  files: readonly Placed[],
): Promise<WindowedTable | undefined> {
  const base = plan.window === undefined ? undefined : await loadBase(deps.store, plan, shape.id);
  if (base === undefined) return undefined;
  const target = planTarget(deps.store, base, shape);
  const holds = partitionsAnew(plan, target);
  if (holds === undefined) return undefined;
  const there = await planFiles(deps.store, base);
  if (there.some(({ specId }) => specId !== target.spec['spec-id'])) {
    throw new AuditFailed(
      `${fullName(shape.table)} has files of an earlier partitioning, whose rows may be of any time; nothing is published. ` +
        `Make all of it anew: strata backfill ${plan.run.pipeline}`,
    );
  }
  const removed = there.filter(({ partition }) => holds(partition));
  const paths = [...removed, ...dataFilesOf(deps.store, files, target)].map(({ partition }) =>
    partitionPath(target.spec, target.schema, partition),
  );
  return { removed, partitions: [...new Set(paths)].sort() };
}
