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

/** A dotted name of such parts. */
export function pathIn(dialect: Dialect, parts: readonly string[]): SqlName {
  return parts.map((part) => nameIn(dialect, part)).join('.') as SqlName;
}

/** A name that we chose ourselves, such as `__ok` or `ops.files`, which stands without quotes. Throws RangeError for another. */
export function ownName(name: string): SqlName {
  if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$/.test(name)) throw new RangeError(`the name ${name} needs quotes`);
  return name as SqlName;
}
