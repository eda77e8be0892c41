import { EngineError } from '../core/errors.ts';
import { placeInSql } from '../core/sql-place.ts';
import { didYouMean } from '../core/suggest.ts';
import { DESCRIBE } from '../sql/session.ts';

/** What DuckDB has against a piece of SQL, in the parts of a problem. */
export type SqlFault = { readonly place: string | undefined; readonly got: string; readonly expected: string };

/**
 * Takes an EngineError of parse or describe apart: where (line and column of the SQL), what, and what would do. `sql`: the text that
 * was described, in which a long line's place is found though the engine shows a part of it.
 * Throws what is not an EngineError.
 */
export function sqlFault(error: unknown, statement: string, expected: string, sql?: string): SqlFault {
  if (!(error instanceof EngineError)) throw error;
  const message = error.message.startsWith(`${statement}: `)
    ? error.message.slice(statement.length + 2)
    : error.message;
  const [, line, column, parsed] = /^line (\d+), column (\d+): (.*)$/s.exec(message) ?? [];
  if (parsed !== undefined) return { place: `line ${line}, column ${column}`, got: parsed, expected };
  const got = (message.split('\n')[0] ?? message).replace(/^(?:[A-Z]\w* )+Error: /, '').replace(/!$/, '');
  return { place: placeIn(message, got, sql), got, expected: suggested(message, got) ?? expected };
}

function placeIn(message: string, got: string, sql: string | undefined): string | undefined {
  if (sql === undefined) return markedPlace(message);
  const found = placeInSql(sql, message);
  if (found === undefined) return markedPlace(message) ?? placeOfName(got, sql) ?? someplace(sql);
  return found.column === null ? `line ${found.line}` : `line ${found.line}, column ${found.column}`;
}

/** Where the engine says no place, that of the name which it says, if the SQL has that once. */
function placeOfName(got: string, sql: string): string | undefined {
  const name = /"([^"]+)"/.exec(got)?.[1];
  if (name === undefined) return undefined;
  const found = [...sql.matchAll(/[\p{L}\p{N}_$]+/gu)].filter(([word]) => word.toLowerCase() === name.toLowerCase());
  const [only, ...more] = found;
  if (only === undefined || more.length > 0) return undefined;
  const before = sql.slice(0, only.index).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

function someplace(sql: string): string {
  return sql.trimEnd().includes('\n') ? 'somewhere in the SQL' : 'line 1';
}

/** DuckDB prints `LINE 2: <text>` and a caret under the fault; a shortened text starts with dots and has no column. */
function markedPlace(message: string): string | undefined {
  const [, head, line, text, spaces] = /\n(LINE (\d+): )(.*)\n( *)\^/.exec(message) ?? [];
  if (head === undefined || text === undefined || spaces === undefined) return undefined;
  if (text.startsWith('...')) return `line ${line}`;
  const prefix = line === '1' && text.startsWith(DESCRIBE) ? DESCRIBE.length : 0;
  return `line ${line}, column ${Math.max(1, spaces.length - head.length - prefix + 1)}`;
}

function suggested(message: string, got: string): string | undefined {
  const candidates = /Candidate bindings: (?:: )?(.*)/.exec(message)?.[1];
  if (candidates !== undefined) {
    const names = [...candidates.matchAll(/"((?:[^"]|"")*)"/g)].map((found) => found[1] ?? '');
    const word = /"([^"]+)"/.exec(got)?.[1] ?? '';
    return `a column that is there: ${candidates}${didYouMean(word, names)}`;
  }
  const near = /Did you mean "(.*?)"\?/.exec(message)?.[1];
  return near === undefined ? undefined : `something that is there; did you mean ${JSON.stringify(near)}?`;
}
