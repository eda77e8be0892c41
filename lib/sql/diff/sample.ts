import { MASK } from '../../core/personal.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { ColumnType } from '../../core/types.ts';
import { join, sql } from '../fragment.ts';
import { quoteText } from '../quote.ts';
import { duckType } from '../types.ts';

/** The first rows in an order, as a list of structs, found while they stream past: no more of them are kept. */
export function renderSample(values: readonly Sql[], order: Sql, rows: number): Sql {
  return sql`arg_min(struct_pack(${join(values)}), ${order}, ${rows})`;
}

/** A value as it is shown: what is hidden as `***` where it is a text, else as NULL. */
export function renderHidden(
  value: Sql,
  { type, hidden }: { readonly type: ColumnType; readonly hidden: boolean },
): Sql {
  if (!hidden) return value;
  if (type.kind !== 'string') return sql`CAST(NULL AS ${duckType(type)})`;
  return sql`CASE WHEN ${value} IS NOT NULL THEN ${quoteText(MASK)} END`;
}
