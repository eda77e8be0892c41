import { InvalidInput } from '../core/errors.ts';
import type { Sql } from '../core/sql-text.ts';
import { userSql } from './user-sql.ts';

/** Strings, comments, quoted names and bare words of SQL as Athena reads it, for which CR ends a line too; anything else is passed over. */
const TOKENS = /'(?:[^']|'')*'|--[^\r\n]*|\/\*[\s\S]*?\*\/|"(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_]*|\S/g;

const READING = ['select', 'with', 'values', 'table', 'show', 'describe', 'desc', 'explain', '('];

/** Throws InvalidInput for a statement that does more than read: a pipeline writes tables, and nothing else may. */
export function requireReading(sql: string): void {
  const first = firstWord(wordsOf(sql).map(({ text }) => text.toLowerCase()));
  if (first === undefined) throw new InvalidInput('the query cannot run: got no statement; expected one SELECT');
  if (READING.includes(first)) return;
  throw new InvalidInput(
    `the query cannot run: got a statement that begins with ${first.toUpperCase()}; expected one SELECT: queries only read; a pipeline writes tables`,
  );
}

/** EXPLAIN ANALYZE does what it explains. */
function firstWord(words: readonly string[]): string | undefined {
  if (words[0] !== 'explain') return words[0];
  const options = words[1] === '(' ? words.indexOf(')') + 1 : 1;
  return words.slice(options).find((word) => word !== 'analyze' && word !== 'verbose');
}

/**
 * SQL for a deployment: each database of a pipeline, `<pipeline>_silver`, `_gold` or `_ops` before a dot, gets its
 * prefix unless it has it. Names of that form inside strings and comments stay, and so do columns after a dot.
 */
export function withDatabasePrefix(sql: string, prefix: string): Sql {
  if (prefix === '') return userSql(sql);
  const words = wordsOf(sql);
  let [text, at] = ['', 0];
  for (const [index, word] of words.entries()) {
    const name = databaseIn(word.text);
    if (name === undefined || name.startsWith(prefix) || words[index + 1]?.text !== '.' || isColumn(words, index))
      continue;
    const start = word.at + (word.text.startsWith('"') ? 1 : 0);
    text += sql.slice(at, start) + prefix;
    at = start;
  }
  return userSql(text + sql.slice(at));
}

/** A word of SQL, and where it begins. */
export type AthenaWord = { readonly text: string; readonly at: number };

/** All but strings and comments. */
export function wordsOf(sql: string): readonly AthenaWord[] {
  return [...sql.matchAll(TOKENS)]
    .map((match) => ({ text: match[0], at: match.index }))
    .filter(({ text }) => !/^(--|\/\*|')/.test(text));
}

/** The database of a pipeline's layer that a word names, in lower case. */
export function databaseIn(text: string): string | undefined {
  return /^"?([a-z][a-z0-9_]*_(?:silver|gold|ops))"?$/i.exec(text)?.[1]?.toLowerCase();
}

/** After a dot stands a column, unless what is before it is the catalog. */
export function isColumn(words: readonly AthenaWord[], index: number): boolean {
  if (words[index - 1]?.text !== '.') return false;
  return !/^"?awsdatacatalog"?$/i.test(words[index - 2]?.text ?? '');
}
