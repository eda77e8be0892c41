import { AuditFailed } from '../../core/errors.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import { maskRow } from '../../core/personal.ts';
import type { ModelPlan } from '../../core/run.ts';
import type { Sql } from '../../core/sql-text.ts';
import { fullName } from '../../core/tables.ts';
import type { Session } from '../../ports.ts';
import { findBreaches } from '../../sql/breaches.ts';

/** Throws AuditFailed where rows of a key, as they lie in the files that were written, break what a keyed table promises. */
export async function checkInvariants(
  session: Session,
  { model, planned }: { readonly model: KeyedModel; readonly planned: ModelPlan },
  rows: Sql,
): Promise<void> {
  const breaches = await session.rows(findBreaches(model.mode, rows));
  if (breaches.length === 0) return;
  const { personal = [] } = model;
  const hidden = (name: string): boolean => personal.includes(name);
  throw new AuditFailed(
    `${fullName(planned.shape.table)}: a key's rows break an invariant: ${breaches.map((row) => JSON.stringify(maskRow(row, hidden))).join(', ')}. Nothing is published.`,
  );
}
