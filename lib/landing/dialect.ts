import type { SourceFormat } from '../core/spec.ts';

/** Which bytes give a text file its records. Quote and escape are codes of single bytes; -1 for none. */
export type Dialect = {
  readonly quote: number;
  readonly escape: number;
  /** The delimiter's UTF-8 bytes, at most four; empty for a file of lines. */
  readonly delimiter: Uint8Array;
};

/** States inside a record: at the start of a field, after one space there, in a bare field, in quotes and so on. */
export const FIELD = 0;
const SPACED = 1;
const BARE = 2;
export const QUOTED = 3;
const CLOSED = 4;
export const ESCAPED = 5;
/** Answers that are no states: the record ends here, a line ends inside quotes, the last byte of a delimiter. */
export const ENDED = 8;
export const INNER_BREAK = 9;
export const DELIMITED = 10;

const SPACE = 0x20;
const LINE_BREAKS = [0x0a, 0x0d];

export function dialectOf(format: Exclude<SourceFormat, { kind: 'parquet' }>): Dialect {
  if (format.kind === 'json') return { quote: -1, escape: -1, delimiter: new Uint8Array(0) };
  const delimiter = new TextEncoder().encode(format.delimiter);
  return { quote: codeOf(format.quote), escape: codeOf(format.escape), delimiter };
}

/**
 * The next state by `state << 8 | byte`. In files that break RFC 4180 it follows DuckDB 1.5 in strict mode, as a
 * differential test makes sure: a quote counts at the start of a field, after at most one space; text after a closing
 * quote leaves the quotes for good.
 */
export function createTransitions(dialect: Dialect): Uint8Array {
  const table = new Uint8Array(6 << 8);
  const put = (state: number, bytes: readonly number[], next: number): void => {
    for (const byte of bytes) if (byte >= 0) table[(state << 8) | byte] = next;
  };
  table.fill(BARE, 0, QUOTED << 8);
  table.fill(QUOTED, QUOTED << 8, CLOSED << 8);
  table.fill(BARE, CLOSED << 8, ESCAPED << 8);
  table.fill(QUOTED, ESCAPED << 8);
  const { quote, delimiter } = dialect;
  const lastOfDelimiter = delimiter.at(-1) ?? -1;
  for (const state of [FIELD, SPACED, BARE, CLOSED]) {
    put(state, [lastOfDelimiter], delimiter.length > 1 ? DELIMITED : FIELD);
    put(state, LINE_BREAKS, ENDED);
  }
  for (const state of [QUOTED, ESCAPED]) put(state, LINE_BREAKS, INNER_BREAK);
  if (lastOfDelimiter !== SPACE) {
    put(FIELD, [SPACE], SPACED);
    put(CLOSED, [SPACE], CLOSED);
  }
  put(QUOTED, [dialect.escape], ESCAPED);
  for (const state of [FIELD, SPACED]) put(state, [quote], QUOTED);
  put(QUOTED, [quote], CLOSED);
  if (dialect.escape === quote) put(CLOSED, [quote], QUOTED);
  return table;
}

function codeOf(character: string): number {
  return character === '' ? -1 : character.charCodeAt(0);
}
