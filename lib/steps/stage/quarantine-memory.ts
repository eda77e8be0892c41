import type { SourceSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import type { CountedBatch } from '../../lake/batch/batch-files.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openOps } from '../../lake/ops/open-ops.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { loadQuarantine } from '../../lake/tables/table-state.ts';
import type { Session } from '../../ports.ts';
import { addRejections, countMemory, createMemory } from '../../sql/memory.ts';

/**
 * Loads what the quarantine remembers of a source for a unit's table. Whether rows have to be held against it: when it remembers anything,
 * and when the source has a business key, whose rejections are counted within the batch too.
 */
export async function openMemory(
  session: Session,
  context: Pick<UnitContext, 'plan' | 'planned'>,
  batch: Pick<CountedBatch, 'source' | 'rejections'>,
  deps: StepDeps,
): Promise<boolean> {
  const remembers = await loadMemory(session, context, batch.source, deps);
  const { before = [] } = batch.rejections ?? {};
  if (before.length > 0) await session.run(addRejections(before));
  return remembers;
}

async function loadMemory(
  session: Session,
  { plan, planned }: Pick<UnitContext, 'plan' | 'planned'>,
  source: SourceSpec,
  deps: StepDeps,
): Promise<boolean> {
  const remembering = { source: source.name, table: fullName(planned.shape.table) };
  const metadata = await loadQuarantine(deps.store, plan);
  if (metadata === undefined) {
    await session.run(createMemory(undefined, remembering, []));
    return source.key.length > 0;
  }
  await using quarantine = await openOps(deps.store, session, 'quarantine', metadata);
  await session.run(createMemory(quarantine.relation, remembering, plan.withdraw));
  return source.key.length > 0 || Number((await session.rows(countMemory()))[0]?.['rows']) > 0;
}
