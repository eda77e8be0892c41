import { CARRIAGE_RETURN_MARK, LINE_FEED_MARK } from '../sql/raw-rows.ts';
import {
  ACTIONS,
  AFTER_OPENING,
  AFTER_VALUE,
  BLANK,
  CLOSE,
  createJsonTable,
  END,
  EXPECTED,
  INNER_BREAK,
  NEXT_ELEMENT,
  NEXT_VALUE,
  NUMBER_END,
  OPEN_ARRAY,
  OPEN_OBJECT,
  START,
  STATES,
  VALUE_END,
} from './json-states.ts';

/** What the bytes of a file turned out to be; `longest`: bytes of the longest element. */
export type ArrayScan =
  | { readonly kind: 'array'; readonly elements: number; readonly longest: number }
  | { readonly kind: 'damaged'; readonly reason: string };

export type ArrayScanner = {
  /** Answers the next bytes of the copy. */
  push(chunk: Uint8Array): Uint8Array;
  /** Call once, after the last chunk. */
  end(): ArrayScan;
};

/** Arrays and objects inside one another, the array itself included; more reject the file. */
export const DEEPEST_JSON = 1000;

const LF = 0x0a;
const CR = 0x0d;
const TABLE = createJsonTable();

/**
 * Reads a JSON array (RFC 8259 and nothing beyond it) in pieces and gives each of its elements as a line: the bytes as they
 * stand in the file, except that marks stand for the line breaks inside. Memory grows neither with the file nor with an
 * element. Strings are not decoded: bytes that are not UTF-8 and halves of surrogate pairs are faults of one element,
 * since the elements can be told apart in spite of them.
 */
export function createArrayScanner(): ArrayScanner {
  return new Scanner();
}

/** A class, since it owns the state between chunks and V8 keeps fields much faster than captured variables. */
class Scanner implements ArrayScanner {
  #state = START;
  /** For every level that is open: 1 for an object. */
  readonly #objects = new Uint8Array(DEEPEST_JSON);
  #depth = 0;
  readonly #found = { elements: 0, longest: 0, lines: 1 };
  /** Bytes of the element that is open, in the chunks before this one. */
  #before = 0;
  #fault: string | undefined;
  #afterCr = false;
  #out: Uint8Array = new Uint8Array(0);
  /** Where the next byte goes, and where the open element began. */
  #at = 0;
  #from = 0;

  push(chunk: Uint8Array): Uint8Array {
    // A bracket or a comma is left out before each element and its line feed is put in: one byte more at most.
    const out = new Uint8Array(chunk.length + 1);
    this.#out = out;
    this.#at = 0;
    this.#from = 0;
    const size = chunk.length;
    for (let i = 0; i < size && this.#fault === undefined; i += 1) {
      let state = this.#state;
      let at = this.#at;
      let next = 0;
      for (; i < size; i += 1) {
        const byte = chunk[i] as number;
        next = TABLE[(state << 8) | byte] as number;
        if (next >= ACTIONS) break;
        state = next;
        out[at++] = byte;
      }
      this.#state = state;
      this.#at = at;
      if (i < size) this.#act(next, chunk[i] as number, i > 0 ? chunk[i - 1] === CR : this.#afterCr);
    }
    this.#before += this.#at - this.#from;
    this.#afterCr = chunk.at(-1) === CR;
    return out.subarray(0, this.#at);
  }

  end(): ArrayScan {
    const { elements, longest } = this.#found;
    if (this.#fault === undefined && this.#state === END) return { kind: 'array', elements, longest };
    return { kind: 'damaged', reason: this.#fault ?? this.#describe('the end of the file') };
  }

  #act(action: number, byte: number, afterCr: boolean): void {
    switch (action) {
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        this.#open(byte, action === OPEN_OBJECT);
        break;
      case CLOSE:
        this.#close(byte);
        break;
      case VALUE_END:
        this.#out[this.#at++] = byte;
        this.#endValue();
        break;
      case NUMBER_END:
        this.#endValue();
        this.#repeat(byte, afterCr);
        break;
      case NEXT_ELEMENT:
        this.#state = NEXT_VALUE;
        break;
      case INNER_BREAK:
        this.#out[this.#at++] = byte === LF ? LINE_FEED_MARK : CARRIAGE_RETURN_MARK;
        this.#countBreak(byte, afterCr);
        break;
      case BLANK:
        this.#countBreak(byte, afterCr);
        break;
      default:
        this.#fault = this.#describe(byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte ${byte}`);
    }
  }

  /** The byte after a number, in the state after the number. */
  #repeat(byte: number, afterCr: boolean): void {
    const next = TABLE[(this.#state << 8) | byte] as number;
    if (next >= ACTIONS) this.#act(next, byte, afterCr);
    else {
      this.#state = next;
      this.#out[this.#at++] = byte;
    }
  }

  #open(byte: number, object: boolean): void {
    if (this.#depth === DEEPEST_JSON) {
      this.#fault = `${this.#place()}: more than ${DEEPEST_JSON} arrays and objects inside one another`;
      return;
    }
    this.#objects[this.#depth] = object ? 1 : 0;
    if (this.#depth > 0) this.#out[this.#at++] = byte;
    this.#depth += 1;
    this.#state = this.#depth === 1 ? AFTER_OPENING.top : object ? AFTER_OPENING.object : AFTER_OPENING.array;
  }

  #close(byte: number): void {
    this.#depth -= 1;
    if (this.#depth === 0) {
      this.#state = END;
      return;
    }
    this.#out[this.#at++] = byte;
    this.#endValue();
  }

  #endValue(): void {
    if (this.#depth > 1) {
      this.#state = this.#objects[this.#depth - 1] === 1 ? AFTER_VALUE.object : AFTER_VALUE.array;
      return;
    }
    this.#state = AFTER_VALUE.top;
    const length = this.#before + this.#at - this.#from;
    if (length > this.#found.longest) this.#found.longest = length;
    this.#found.elements += 1;
    this.#out[this.#at++] = LF;
    this.#before = 0;
    this.#from = this.#at;
  }

  #countBreak(byte: number, afterCr: boolean): void {
    if (byte === CR || (byte === LF && !afterCr)) this.#found.lines += 1;
  }

  #describe(got: string): string {
    const name = STATES[this.#state] ?? 'start';
    const value = /hex/.test(name) ? 'four hexadecimal digits after \\u' : 'the rest of a number, true, false or null';
    return `${this.#place()}: got ${got}; expected ${EXPECTED[name] ?? value}`;
  }

  #place(): string {
    const element = this.#depth === 0 ? '' : `, element ${this.#found.elements + 1}`;
    return `not one JSON array: line ${this.#found.lines}${element}`;
  }
}
