import type { Sql } from '../core/sql-text.ts';

/** What may stand in a piece of SQL. Names and texts go through `quote.ts` first; a number writes itself. */
export type SqlPart = Sql | number | bigint;

/**
 * SQL text as it is written here: sql`SELECT ${quoteName(column)} FROM ${relation}`. A string in it does not compile.
 * Throws RangeError for a number that no SQL has.
 */
export function sql(texts: TemplateStringsArray, ...parts: readonly SqlPart[]): Sql {
  return texts.reduce((all, text, i) => `${all}${renderPart(parts[i - 1])}${text}`) as Sql;
}

/** What stands between the pieces of a list. */
export type Separator =
  | ''
  | ', '
  | ' AND '
  | ' OR '
  | ' | '
  | ' + '
  | ';\n'
  | ' || '
  | '\n'
  | '\nUNION ALL\n'
  | '\nUNION ALL BY NAME\n'
  | ' UNION ALL ';

/** Pieces of a list; nothing, for an empty one. */
export function join(parts: readonly SqlPart[], separator: Separator = ', '): Sql {
  return parts.map(renderPart).join(separator) as Sql;
}

/** No text: what stands where a clause is left out. */
export const NOTHING: Sql = sql``;

function renderPart(part: SqlPart | undefined): string {
  if (typeof part === 'number' && !Number.isFinite(part)) throw new RangeError(`${part} is no number of SQL`);
  return String(part);
}
