import { OPS_TABLES, type OpsTable } from '../../core/ops.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Predicate } from '../../iceberg/predicate.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Borrowed, ObjectStore, Session } from '../../ports.ts';
import { quotePath } from '../../sql/quote.ts';
import { createSchemas } from '../../sql/scan.ts';
import { openTable } from '../tables/table-state.ts';

/** An ops table that a session can read, under `relation`. */
export type OpenedOps = Borrowed & { readonly relation: Sql };

const SCHEMA = 'ops';

/**
 * Makes an ops table readable in a session as `ops.<name>`; without metadata it has no rows. `predicates`: files that certainly
 * hold no row that meets all of them are not brought here; the others are whole.
 */
export async function openOps(
  store: ObjectStore,
  session: Session,
  name: OpsTable,
  metadata: TableMetadata | undefined,
  predicates: readonly Predicate[] = [],
): Promise<OpenedOps> {
  for (const statement of createSchemas([SCHEMA])) await session.run(statement);
  const view = { schema: SCHEMA, table: name };
  const opened = await openTable(store, session, view, metadata, OPS_TABLES[name], { predicates });
  return { ...opened, relation: quotePath(SCHEMA, name) };
}
