import type { SilverModel } from '../../core/spec.ts';
import type { Borrowed, Session } from '../../ports.ts';
import { quotePath } from '../../sql/quote.ts';
import { createSchemas } from '../../sql/scan.ts';
import type { StepDeps } from '../deps.ts';
import type { UnitContext } from '../run/unit-context.ts';
import { loadRows, openTable } from '../tables/table-state.ts';

const SCHEMA = 'known';
const TABLE = 'rows';
export const KNOWN_ROWS = quotePath(SCHEMA, TABLE);

/** Opens the rows that the model's table holds already, `undefined` when there is no table. Release when done. */
export async function openKnown(
  session: Session,
  context: Pick<UnitContext, 'plan' | 'planned'>,
  model: SilverModel,
  deps: StepDeps,
): Promise<Borrowed | undefined> {
  const metadata = await loadRows(deps.store, context.plan, model.id);
  if (metadata === undefined) return undefined;
  for (const statement of createSchemas([SCHEMA])) await session.run(statement);
  return openTable(deps.store, session, { schema: SCHEMA, table: TABLE }, metadata, context.planned.shape.columns);
}
