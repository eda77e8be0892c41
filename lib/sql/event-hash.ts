import type { EventColumns } from '../core/keyed.ts';
import type { Sql } from '../core/sql-text.ts';
import type { ColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
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

/**
 * Whether values that differ have different hashes. Zeros of both signs are equal to the engine; it hashes a list or a
 * struct by its leaves, so that null is as an empty one, and both halves of a wide decimal alike, so that 0 is as -1.
 */
function isHashedApart(type: ColumnType): boolean {
  switch (type.kind) {
    case 'float':
    case 'double':
    case 'list':
    case 'struct':
      return false;
    case 'decimal':
      return type.precision <= DIGITS_OF_BIGINT;
    default:
      return true;
  }
}

/** Decimals with more digits are of 128 bits. */
const DIGITS_OF_BIGINT = 18;

/** The arguments of one concat: DuckDB nests operators, and takes no statement that is a thousand deep. */
export function renderCanonical(columns: readonly string[]): Sql {
  const parts = columns.map((name) => {
    const text = sql`CAST(${quoteName(name)} AS VARCHAR)`;
    return sql`CASE WHEN ${quoteName(name)} IS NULL THEN 'N;' ELSE 'V' || strlen(${text}) || ':' || ${text} || ';' END`;
  });
  return join(parts);
}
