import type { Sql } from '../core/sql-text.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quotePath, quoteText } from './quote.ts';

/** What a person names exports by; every part that is given has to match. */
export type ExportFilter = { readonly model?: string; readonly state?: string };

function latest(pipeline: string, { model, state }: ExportFilter): Sql {
  const conditions = [
    ...(model === undefined ? [] : [sql`model = ${quoteText(model)}`]),
    ...(state === undefined ? [] : [sql`state = ${quoteText(state)}`]),
  ];
  const where = conditions.length === 0 ? NOTHING : sql` WHERE ${join(conditions, ' AND ')}`;
  return sql`(SELECT * FROM (
  SELECT * FROM ${quotePath(`${pipeline}_ops`, 'exports')}
  QUALIFY row_number() OVER (PARTITION BY model, kind, target ORDER BY exported_at DESC, run_id DESC) = 1
)${where})`;
}

/** `rows`: targets whose latest word matches. */
export function countExports(pipeline: string, filter: ExportFilter): Sql {
  return sql`SELECT count(*) AS rows FROM ${latest(pipeline, filter)}`;
}

/** The latest word on each target, the newest first. */
export function selectExports(pipeline: string, filter: ExportFilter, limit: number): Sql {
  return sql`SELECT model, kind, target, state, reason, period, object, bytes, run_id, exported_at, sha256
FROM ${latest(pipeline, filter)} ORDER BY exported_at DESC, model, kind, target LIMIT ${limit}`;
}
