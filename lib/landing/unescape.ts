import { type CsvFormat, readingDialect } from '../sql/csv-dialect.ts';

export type Unescaper = {
  /** Answers the next bytes of the copy. */
  push(chunk: Uint8Array): Uint8Array;
  /** Call once, after the last chunk. */
  end(): Uint8Array;
};

/**
 * Rewrites CSV of a dialect with escapes into one without (`readingDialect`). Inside quotes an escape stands for the next
 * character, whatever it is. In a dialect without quotes it stands for a delimiter, a line break or an escape, is text
 * before anything else, and a field that is a null text as it stands remains one.
 */
export function createUnescaper(format: CsvFormat): Unescaper {
  return format.quote === '' ? new BareFields(format) : new QuotedFields(format);
}

const isBreak = (character: string): boolean => character === '\n' || character === '\r';
/** Bytes as characters of one byte: what is not ASCII passes as it is. */
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** A class, since it owns the state between chunks. */
class BareFields implements Unescaper {
  readonly #escape: string;
  readonly #delimiter: string;
  readonly #nulls: readonly string[];
  readonly #quote: string;
  /** The field so far as it stands and without its escapes. A delimiter begins at `#from` at the earliest. */
  #field = '';
  #text = '';
  #from = 0;
  #pending = false;
  #out: string[] = [];

  constructor(format: CsvFormat) {
    this.#escape = format.escape;
    this.#delimiter = latin1(format.delimiter);
    this.#nulls = format.nullText.map(latin1);
    this.#quote = readingDialect(format).quote;
  }

  push(chunk: Uint8Array): Uint8Array {
    for (const character of Buffer.from(chunk).toString('latin1')) {
      if (this.#pending) this.#takeEscaped(character);
      else if (character === this.#escape) this.#pending = true;
      else if (isBreak(character)) this.#endField(character);
      else this.#take(character);
    }
    return this.#flush();
  }

  end(): Uint8Array {
    if (this.#pending) this.#take(this.#escape);
    this.#endField('');
    return this.#flush();
  }

  #take(character: string): void {
    this.#field += character;
    this.#text += character;
    const end = this.#field.length - this.#delimiter.length;
    if (end < this.#from || !this.#field.endsWith(this.#delimiter)) return;
    this.#field = this.#field.slice(0, end);
    this.#text = this.#text.slice(0, -this.#delimiter.length);
    this.#endField(this.#delimiter);
  }

  #takeEscaped(character: string): void {
    const stands = character === this.#delimiter[0] || character === this.#escape || isBreak(character);
    this.#field += this.#escape + character;
    this.#text += stands ? character : this.#escape + character;
    this.#from = this.#field.length;
    this.#pending = false;
  }

  #endField(after: string): void {
    const asItStands = this.#field === this.#text && !this.#field.includes(this.#quote);
    if (asItStands || this.#nulls.includes(this.#field)) this.#out.push(this.#field, after);
    else {
      const doubled = this.#text.replaceAll(this.#quote, this.#quote + this.#quote);
      this.#out.push(this.#quote, doubled, this.#quote, after);
    }
    this.#field = '';
    this.#text = '';
    this.#from = 0;
  }

  #flush(): Uint8Array {
    const bytes = Buffer.from(this.#out.join(''), 'latin1');
    this.#out = [];
    return bytes;
  }
}

/** A class, since it owns the state between chunks. Where quotes count is said at `createTransitions`. */
class QuotedFields implements Unescaper {
  readonly #escape: string;
  readonly #quote: string;
  readonly #delimiter: string;
  #state: 'start' | 'spaced' | 'bare' | 'quoted' | 'closed' = 'start';
  #pending = false;
  #tail = '';

  constructor(format: CsvFormat) {
    this.#escape = format.escape;
    this.#quote = format.quote;
    this.#delimiter = latin1(format.delimiter);
  }

  push(chunk: Uint8Array): Uint8Array {
    let out = '';
    for (const character of Buffer.from(chunk).toString('latin1')) {
      if (this.#state !== 'quoted') {
        out += character;
        this.#takeOutside(character);
      } else if (this.#pending) {
        out += character === this.#quote ? this.#quote + character : character;
        this.#pending = false;
      } else if (character === this.#escape) this.#pending = true;
      else {
        out += character;
        if (character === this.#quote) this.#state = 'closed';
      }
    }
    return Buffer.from(out, 'latin1');
  }

  end(): Uint8Array {
    return new Uint8Array(0);
  }

  #takeOutside(character: string): void {
    this.#tail = (this.#tail + character).slice(-this.#delimiter.length);
    if (isBreak(character) || this.#tail === this.#delimiter) this.#state = 'start';
    else if (character === this.#quote && this.#state !== 'bare') this.#state = 'quoted';
    else if (character === ' ' && this.#state === 'start') this.#state = 'spaced';
    else if (character !== ' ' || this.#state !== 'closed') this.#state = 'bare';
    if (this.#state === 'quoted' || this.#state === 'start') this.#tail = '';
  }
}
