import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readingDialect } from '../sql/csv-dialect.ts';
import type { ByteSource } from './byte-source.ts';
import { dialectOf } from './dialect.ts';
import { LONGEST_RECORD, tooLongRecord } from './limits.ts';
import { FileFault, plainText } from './plain-text.ts';
import { createRecordScanner, type RecordScanner } from './record-scanner.ts';
import { endWithLf } from './take-piece.ts';
import { LONGEST_OPEN_QUOTE, neverClosed, type TextFormat } from './text-file.ts';

/** A part of a text that is read in turn: a file in UTF-8, below the header where there is one. */
export type TurnPiece = {
  readonly path: string;
  /** What has to be added to a line of the part's file for the line of the landed file. */
  readonly before: number;
};

/**
 * Reads a landed text once, inflated and decoded on the way, and gives its records in parts of about `bytes`, each a file
 * in a folder of its own, which is removed before the next one is made. Throws FileFault with what is wrong with the file,
 * at the end at the latest: nothing of it may count before.
 */
export async function* cutStream(
  source: ByteSource,
  format: TextFormat,
  { bytes, folder }: { readonly bytes: number; readonly folder: string },
): AsyncGenerator<TurnPiece> {
  const cutter = new Cutter(format, bytes, folder);
  try {
    for await (const chunk of plainText(source, format)) {
      for (const part of cutter.push(chunk)) {
        await cutter.write(part.bytes);
        if (!part.ended || cutter.tooLong) continue;
        yield await cutter.take();
        await cutter.next();
      }
    }
    const last = await cutter.end();
    if (last !== undefined) yield last;
  } finally {
    await cutter.close();
  }
}

type Part = { readonly bytes: Uint8Array; readonly ended: boolean };
type Start = { readonly offset: number; readonly lines: number };

/** A class, since it owns the file of the part that is being written. */
class Cutter {
  readonly #bytes: number;
  readonly #folder: string;
  readonly #scanner: RecordScanner;
  /** Bytes of all chunks before this one, and of the part. */
  #offset = 0;
  #starts: Start[] = [];
  /** Where parts begin that are not written yet. */
  readonly #pending: Start[] = [];
  #lastStart = 0;
  /** The header, once it is whole, and until then the beginning of the text. */
  #head: Uint8Array[] | undefined;
  #header: Buffer = Buffer.alloc(0);
  #headerLines = 0;
  #linesBefore = 0;
  #nth = 0;
  #file: FileHandle | undefined;
  /** A record is longer than any may be: its end is looked for, to say what it is. */
  tooLong = false;

  constructor(format: TextFormat, bytes: number, folder: string) {
    this.#bytes = bytes;
    this.#folder = folder;
    this.#head = format.kind === 'csv' && format.header ? [] : undefined;
    const start = (offset: number, lines: number): number => this.#note({ offset, lines });
    this.#scanner = createRecordScanner(
      dialectOf(format.kind === 'csv' ? readingDialect(format) : { kind: 'json', layout: 'lines' }),
      { start, nextStart: this.#head === undefined ? bytes : 1 },
    );
  }

  #note(start: Start): number {
    this.#starts.push(start);
    return start.offset + this.#bytes;
  }

  /** The bytes of a chunk, cut where parts end. */
  push(chunk: Uint8Array): readonly Part[] {
    this.#starts = [];
    this.#scanner.push(chunk);
    const parts: Part[] = [];
    let from = 0;
    for (const start of this.#starts) {
      const at = start.offset - this.#offset;
      const bytes = chunk.subarray(from, at);
      if (this.#head !== undefined) this.#endHeader(bytes, start.lines);
      const ended = start.offset - this.#lastStart >= this.#bytes;
      parts.push({ bytes, ended });
      if (ended) this.#pending.push(start);
      if (ended) this.#lastStart = start.offset;
      from = at;
    }
    const rest = chunk.subarray(from);
    if (!this.tooLong) this.#head?.push(rest);
    parts.push({ bytes: rest, ended: false });
    this.#offset += chunk.length;
    if (this.#offset - this.#lastStart > this.#bytes + LONGEST_RECORD) this.tooLong = true;
    return parts;
  }

  #endHeader(bytes: Uint8Array, lines: number): void {
    this.#header = endWithLf(Buffer.concat([...(this.#head ?? []), bytes]));
    this.#headerLines = lines;
    this.#head = undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // Of a record that is too long no more than its length is of interest.
    if (bytes.length === 0 || this.tooLong) return;
    this.#file ??= await this.#open();
    await this.#file.write(bytes);
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#own(), { recursive: true });
    const file = await open(this.#path(), 'w');
    if (this.#nth > 0) await file.write(this.#header);
    return file;
  }

  #own(): string {
    return join(this.#folder, `part-${this.#nth}`);
  }

  #path(): string {
    return join(this.#own(), 'text');
  }

  /** The part that has been written. */
  async take(): Promise<TurnPiece> {
    await this.#file?.close();
    return { path: this.#path(), before: this.#nth === 0 ? 0 : this.#linesBefore - this.#headerLines };
  }

  async next(): Promise<void> {
    await this.close();
    this.#linesBefore = this.#pending.shift()?.lines ?? this.#linesBefore;
    this.#nth += 1;
    this.#file = undefined;
  }

  async close(): Promise<void> {
    await this.#file?.close().catch(() => {});
    await rm(this.#own(), { recursive: true, force: true });
  }

  /** The last part, if the text is one that may be read. */
  async end(): Promise<TurnPiece | undefined> {
    const { longest, openQuote } = this.#scanner.end();
    const rest = openQuote === undefined ? 0 : this.#offset - openQuote.offset;
    if (openQuote !== undefined && rest > LONGEST_OPEN_QUOTE) throw new FileFault(neverClosed(openQuote.line, rest));
    if (longest > LONGEST_RECORD) throw new FileFault(tooLongRecord(longest), true);
    return this.#file === undefined ? undefined : this.take();
  }
}
