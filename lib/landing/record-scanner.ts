import { createTransitions, DELIMITED, type Dialect, ENDED, ESCAPED, FIELD, INNER_BREAK, QUOTED } from './dialect.ts';

export type RecordScan = {
  /** Lines or, where quotes hold line breaks, groups of lines; blank lines do not count, a header does. */
  readonly records: number;
  /** Line breaks, those inside quotes included. */
  readonly lines: number;
  readonly blankLines: number;
  /** Bytes of the longest record, without its line break. */
  readonly longest: number;
  /** Offset of the byte after the first line or record, its line break left out. */
  readonly firstEnd: number;
  /** Whether every record ends in a line feed alone; the last one need not end in anything. */
  readonly breaks: 'lf' | 'others';
  /** True when every record is one line and no line is blank, so that record n stands on line n. */
  readonly regular: boolean;
  /** Where a record begins that has a quote which is never closed, if there is one: it runs to the end of the file. */
  readonly openQuote: { readonly line: number; readonly offset: number } | undefined;
};

/** Where a record starts: `record` counts records, `place` records and blank lines, `line` lines; all from 1. */
export type RecordStart = { readonly record: number; readonly place: number; readonly line: number };

export type RecordScanner = {
  /** Keeps nothing of a chunk. */
  push(chunk: Uint8Array): void;
  /** Call once, after the last chunk. */
  end(): RecordScan;
};

export type ScanListener = {
  /** Called for the first record, and where the distance between a record's number and its line changes. */
  readonly shift?: (start: RecordStart) => void;
  /** Called with the bytes between record breaks, in order; `ended`: a record break follows. */
  readonly copy?: (bytes: Uint8Array, ended: boolean) => void;
  /**
   * Called with the first record or blank line that begins at a byte of `nextStart` or after, and the line breaks before
   * it; answers from which byte on the next one is wanted.
   */
  readonly start?: (offset: number, lines: number) => number;
  /** Where `start` is first wanted; left out: at the first record. */
  readonly nextStart?: number;
};

/** What the text that is scanned begins with: a record, or the inside of quotes that were opened before. */
export type EntryState = 'record' | 'quotes';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Finds the records of delimited text by the bytes that matter for that: line breaks, quotes and delimiters. It reads no
 * values. It is the count against which the engine's own reading is checked, since DuckDB drops records without a word
 * in some files (a record beyond its buffer, line breaks other than it expects).
 */
export function createRecordScanner(
  dialect: Dialect,
  listener: ScanListener = {},
  entry: EntryState = 'record',
): RecordScanner {
  return new Scanner(dialect, listener, entry);
}

/** A class, since it owns the state between chunks and V8 keeps fields much faster than captured variables. */
class Scanner implements RecordScanner {
  readonly #dialect: Dialect;
  readonly #transitions: Uint8Array;
  readonly #listener: ScanListener;
  readonly #breaks = { lf: 0, crlf: 0, cr: 0, inner: 0 };
  readonly #found = { records: 0, blank: 0, longest: 0, firstEnd: -1 };
  #state = FIELD;
  /** Bytes of the record so far, and of all chunks before this one. */
  #length = 0;
  #offset = 0;
  /** The end of the last chunk, as far as the next one may have to look back. */
  #tail: Uint8Array = new Uint8Array(0);
  #recordLine = 1;
  #shift = '';
  #nextStart: number;

  constructor(dialect: Dialect, listener: ScanListener, entry: EntryState) {
    this.#dialect = dialect;
    this.#transitions = createTransitions(dialect);
    this.#listener = listener;
    this.#nextStart = listener.start === undefined ? Number.POSITIVE_INFINITY : (listener.nextStart ?? 0);
    if (entry === 'quotes') this.#state = QUOTED;
  }

  push(chunk: Uint8Array): void {
    let at = this.#completeCrlf(chunk);
    const cursors = { quote: -1, cr: -1 };
    while (at < chunk.length) {
      if (this.#length === 0 && this.#state === FIELD) {
        this.#noteStart(chunk[at], this.#offset + at);
        const end = this.#plainLine(chunk, at, cursors);
        if (end !== undefined) {
          at = end;
          continue;
        }
      }
      const stop = this.#walk(chunk, at);
      this.#listener.copy?.(chunk.subarray(at, stop), stop < chunk.length);
      if (stop === chunk.length) break;
      this.#endRecord(this.#length, this.#offset + stop);
      at = this.#countBreak(chunk, stop);
    }
    this.#offset += chunk.length;
    // Of a Buffer, slice would give a view of bytes that are overwritten.
    if (chunk.length > 0) this.#tail = new Uint8Array(chunk.subarray(-4));
  }

  end(): RecordScan {
    const { lf, crlf, cr, inner } = this.#breaks;
    const open = this.#state === QUOTED || this.#state === ESCAPED;
    const openQuote = open ? { line: this.#recordLine, offset: this.#offset - this.#length } : undefined;
    if (this.#length > 0) this.#endRecord(this.#length, this.#offset);
    const { records, blank, longest, firstEnd } = this.#found;
    return {
      records,
      lines: lf + crlf + cr + inner,
      blankLines: blank,
      longest,
      firstEnd: firstEnd < 0 ? this.#offset : firstEnd,
      breaks: cr + crlf > 0 ? 'others' : 'lf',
      regular: blank === 0 && inner === 0,
      openQuote,
    };
  }

  /** The line feed of a pair whose carriage return ended the last chunk. */
  #completeCrlf(chunk: Uint8Array): number {
    if (this.#length > 0 || this.#tail.at(-1) !== CR || chunk[0] !== LF || this.#state !== FIELD) return 0;
    this.#breaks.cr -= 1;
    this.#breaks.crlf += 1;
    return 1;
  }

  /** Steps over a line that is a record by itself, having neither quotes nor a lone carriage return. */
  #plainLine(chunk: Uint8Array, at: number, next: { quote: number; cr: number }): number | undefined {
    const { quote } = this.#dialect;
    const lf = chunk.indexOf(LF, at);
    if (lf < 0) return undefined;
    if (next.quote < at) next.quote = quote < 0 ? chunk.length : indexFrom(chunk, quote, at);
    if (next.cr < at) next.cr = indexFrom(chunk, CR, at);
    if (next.quote < lf || next.cr < lf - 1) return undefined;
    const end = next.cr === lf - 1 && lf > at ? lf - 1 : lf;
    if (end < lf) this.#breaks.crlf += 1;
    else this.#breaks.lf += 1;
    this.#endRecord(end - at, this.#offset + end);
    this.#listener.copy?.(chunk.subarray(at, end), true);
    return lf + 1;
  }

  /** Byte by byte to the end of the record or of the chunk; answers where that is. */
  #walk(chunk: Uint8Array, from: number): number {
    const transitions = this.#transitions;
    const size = chunk.length;
    let state = this.#state;
    let at = from;
    for (; at < size; at += 1) {
      const next = transitions[(state << 8) | (chunk[at] as number)] as number;
      if (next < ENDED) {
        state = next;
        continue;
      }
      if (next === ENDED) break;
      if (next === INNER_BREAK) {
        if (chunk[at] === CR || this.#byteAt(chunk, at - 1) !== CR) this.#breaks.inner += 1;
        state = QUOTED;
      } else if (next === DELIMITED && this.#isDelimiter(chunk, at)) state = FIELD;
      else state = transitions[state << 8] as number;
    }
    this.#state = state;
    this.#length += at - from;
    return at;
  }

  #isDelimiter(chunk: Uint8Array, at: number): boolean {
    const { delimiter } = this.#dialect;
    return delimiter.every((byte, i) => this.#byteAt(chunk, at - delimiter.length + 1 + i) === byte);
  }

  #byteAt(chunk: Uint8Array, at: number): number | undefined {
    return at < 0 ? this.#tail.at(at) : chunk[at];
  }

  #endRecord(bytes: number, at: number): void {
    const found = this.#found;
    if (found.firstEnd < 0) found.firstEnd = at;
    if (bytes === 0) found.blank += 1;
    else found.records += 1;
    if (bytes > found.longest) found.longest = bytes;
    this.#length = 0;
    this.#state = FIELD;
  }

  #countBreak(chunk: Uint8Array, stop: number): number {
    if (chunk[stop] === LF) this.#breaks.lf += 1;
    else if (chunk[stop + 1] === LF) this.#breaks.crlf += 1;
    else this.#breaks.cr += 1;
    return chunk[stop] === CR && chunk[stop + 1] === LF ? stop + 2 : stop + 1;
  }

  #noteStart(first: number | undefined, offset: number): void {
    const { lf, crlf, cr, inner } = this.#breaks;
    const line = 1 + lf + crlf + cr + inner;
    this.#recordLine = line;
    if (offset >= this.#nextStart)
      this.#nextStart = this.#listener.start?.(offset, line - 1) ?? Number.POSITIVE_INFINITY;
    if (this.#listener.shift === undefined || first === LF || first === CR) return;
    const record = this.#found.records + 1;
    const place = record + this.#found.blank;
    const shift = `${place - record} ${line - record}`;
    if (shift !== this.#shift) this.#listener.shift({ record, place, line });
    this.#shift = shift;
  }
}

function indexFrom(chunk: Uint8Array, byte: number, from: number): number {
  const found = chunk.indexOf(byte, from);
  return found < 0 ? chunk.length : found;
}
