import { OPS_TABLES } from '../../core/ops.ts';
import type { SourceSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { loadQuarantine, openTable } from '../../lake/tables/table-state.ts';
import type { Session } from '../../ports.ts';
import { countMemory, createMemory } from '../../sql/memory.ts';
import { quotePath } from '../../sql/quote.ts';
import { createSchemas } from '../../sql/scan.ts';

/**
 * Loads what the quarantine remembers of a source. Whether rows have to be held against it: when it remembers anything,
 * and when the source has a business key, whose rejections are counted within the batch too.
 */
export async function openMemory(
  session: Session,
  context: Pick<UnitContext, 'plan'>,
  source: SourceSpec,
  deps: StepDeps,
): Promise<boolean> {
  const { plan } = context;
  const metadata = await loadQuarantine(deps.store, plan);
  if (metadata === undefined) {
    await session.run(createMemory(undefined, source.name, []));
    return source.key.length > 0;
  }
  for (const statement of createSchemas(['ops'])) await session.run(statement);
  const name = { schema: 'ops', table: 'quarantine' };
  const files = await openTable(deps.store, session, name, metadata, OPS_TABLES.quarantine);
  try {
    await session.run(createMemory(quotePath('ops', 'quarantine'), source.name, plan.withdraw));
  } finally {
    await files.release();
  }
  return source.key.length > 0 || Number((await session.rows(countMemory()))[0]?.['rows']) > 0;
}
