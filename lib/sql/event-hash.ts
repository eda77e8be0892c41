import type { EventColumns } from '../core/keyed.ts';
import type { Sql } from '../core/sql-text.ts';
import { join, sql } from './fragment.ts';
import { isHashedApart } from './hashed-apart.ts';
import { EVENT_HASH, OP } from './keyed-columns.ts';
import { quoteName, quoteText } from './quote.ts';

/**
 * What tells events of one key and sequence apart: the SHA-256 of the row's columns in order, each as `V<bytes>:<text>;`,
 * or `N;` for null, of other columns that are not null, with their names before them, and of what the event does. It is
 * worked out where events may be equal or tie, and nowhere else: a log has one only where an earlier release wrote it.
 */
export function renderEventHash({ own, others }: EventColumns): Sql {
  const more = others.map(({ name }) => {
    const text = sql`CAST(${quoteName(name)} AS VARCHAR)`;
    return sql`CASE WHEN ${quoteName(name)} IS NULL THEN '' ELSE ${quoteText(`${name}=V`)} || strlen(${text}) || ':' || ${text} || ';' END`;
  });
  const parts = join([renderCanonical(own.map((c) => c.name)), ...more, OP]);
  return sql`coalesce(${EVENT_HASH}, sha256(concat(${parts})))`;
}

/** A number that equal events have in common, and others hardly ever: what is cheap enough for every event of a tie. */
export function renderEventNumber({ own, others }: EventColumns): Sql {
  const values = [...own, ...others].map((column) => {
    const name = quoteName(column.name);
    return isHashedApart(column.type) ? name : sql`CAST(${name} AS VARCHAR)`;
  });
  return sql`hash(${join([...values, OP, EVENT_HASH])})`;
}

/** The arguments of one concat: DuckDB nests operators, and takes no statement that is a thousand deep. */
export function renderCanonical(columns: readonly string[]): Sql {
  const parts = columns.map((name) => {
    const text = sql`CAST(${quoteName(name)} AS VARCHAR)`;
    return sql`CASE WHEN ${quoteName(name)} IS NULL THEN 'N;' ELSE 'V' || strlen(${text}) || ':' || ${text} || ';' END`;
  });
  return join(parts);
}
