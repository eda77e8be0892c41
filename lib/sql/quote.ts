import type { Dialect } from '../core/sql-engine.ts';
import type { Sql, SqlLiteral, SqlName } from '../core/sql-text.ts';

/** The one place where names and values become SQL text. Doubling the quote character is all DuckDB needs. */

/** What is SQL already does not compile: a name in quotes is not quoted again. */
export function quoteName<T extends string>(name: T extends Sql ? never : T): SqlName {
  return `"${name.replaceAll('"', '""')}"` as SqlName;
}

/** DuckDB takes SQL up to its first U+0000, so that character is spelled. */
export function quoteText(text: string): SqlLiteral {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return (text.includes('\0') ? `(${quoted.replaceAll('\0', "' || chr(0) || '")})` : quoted) as SqlLiteral;
}

export function quoteTexts(texts: readonly string[]): SqlLiteral {
  return `[${texts.map(quoteText).join(', ')}]` as SqlLiteral;
}

/** A dotted name of quoted parts: `quotePath('silver', 'x')` -> `"silver"."x"`. */
export function quotePath(...parts: readonly string[]): SqlName {
  return parts.map(quoteName).join('.') as SqlName;
}

/** A name as an engine quotes it: Spark takes double quotes for a text. */
export function nameIn(dialect: Dialect, name: string): SqlName {
  return dialect === 'trino' ? quoteName<string>(name) : (`\`${name.replaceAll('`', '``')}\`` as SqlName);
}

/**
 * A text as an engine reads it back. Spark reads a backslash as the beginning of another character, two quotes as the end of one text and the
 * beginning of the next, and `${` as the name of a setting: a text with such characters is spelled by its bytes.
 */
export function textIn(dialect: Dialect, text: string): SqlLiteral {
  if (dialect === 'trino' || !/['\\$]/.test(text)) return quoteText(text);
  return `CAST(X'${Buffer.from(text).toString('hex').toUpperCase()}' AS string)` as SqlLiteral;
}

/** A dotted name of such parts. */
export function pathIn(dialect: Dialect, parts: readonly string[]): SqlName {
  return parts.map((part) => nameIn(dialect, part)).join('.') as SqlName;
}

/** A name that we chose ourselves, such as `__ok` or `ops.files`, which stands without quotes. Throws RangeError for another. */
export function ownName(name: string): SqlName {
  if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$/.test(name)) throw new RangeError(`the name ${name} needs quotes`);
  return name as SqlName;
}
