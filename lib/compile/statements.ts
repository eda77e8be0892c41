import { EngineError } from '../core/errors.ts';
import type { JsonValue, Session } from '../ports.ts';
import { createBindSchemas, dropBindSchemas, subqueryText } from '../sql/bind.ts';

/** Empties the schemas that models are bound in. */
export async function resetSchemas(session: Session): Promise<void> {
  await dropSchemas(session);
  for (const statement of createBindSchemas()) await session.run(statement);
}

export async function dropSchemas(session: Session): Promise<void> {
  for (const statement of dropBindSchemas()) await session.run(statement);
}

/** False for SQL with a semicolon before a comment at its end: it parses alone, but not in brackets. */
export async function isSubquery(session: Session, sql: string): Promise<boolean> {
  try {
    await session.parse(subqueryText(sql));
    return true;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

/** The text in the only cell of a result. */
export function cellText(rows: readonly { readonly [column: string]: JsonValue }[]): string {
  const value = rows[0]?.['result'];
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
