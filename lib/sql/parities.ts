import type { Sql } from '../core/sql-text.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quotePath, quoteText } from './quote.ts';

export type ParityFilter = {
  readonly model?: string;
  /** Hashes of the two texts, whichever made the table. */
  readonly texts?: readonly [string, string];
};

/** So many rows, or as many as have so many digests: those before the last of these count with it. */
export type Newest = { readonly rows: number } | { readonly digests: number };

/** What runs found of the texts that they compared, the newest first. */
export function selectParities(pipeline: string, { model, texts }: ParityFilter, newest: Newest): Sql {
  const pair = (left: string, right: string) =>
    sql`left_text = ${quoteText(left)} AND right_text = ${quoteText(right)}`;
  const conditions = [
    ...(model === undefined ? [] : [sql`model = ${quoteText(model)}`]),
    ...(texts === undefined ? [] : [sql`(${pair(...texts)} OR ${pair(texts[1], texts[0])})`]),
  ];
  const where = conditions.length === 0 ? NOTHING : sql` WHERE ${join(conditions, ' AND ')}`;
  const order = sql`compared_at DESC, run_id DESC, model, "right"`;
  const most =
    'rows' in newest
      ? sql` ORDER BY ${order} LIMIT ${newest.rows}`
      : sql`
QUALIFY count(DISTINCT digest) OVER (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) < ${newest.digests}
ORDER BY ${order}`;
  return sql`SELECT run_id, model, "left", "right", "equal", "rows", right_rows, keys, differing, sums, error, digest, left_text, right_text, compared_at
FROM ${quotePath(`${pipeline}_ops`, 'parity')}${where}${most}`;
}
