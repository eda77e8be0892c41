import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hasForeignEscapes } from '../sql/csv-dialect.ts';
import { type ByteSource, readWhole } from './byte-source.ts';
import { afterTheEnd, damagedArchive, decoderFor, foreignContainer, isDecoding } from './inflate.ts';
import { createArrayScanner } from './json-array.ts';
import { LONGEST_RECORD, MOST_INFLATED, tooLongRecord } from './limits.ts';
import { bomIn, LATIN1, notDecodable, otherMark, type TextFormat, utf16Mark } from './text-file.ts';
import { createUnescaper } from './unescape.ts';

type Chunks = AsyncGenerator<Uint8Array>;

/** What is wrong with a file that is read as a stream: it is rejected as a whole. */
export class FileFault extends Error {
  readonly tooLarge: boolean;

  constructor(reason: string, tooLarge = false) {
    super(reason);
    this.tooLarge = tooLarge;
  }
}

const HEAD_BYTES = 8;

/**
 * A landed text in the form in which its records are told apart, as a stream: inflated, in UTF-8 without a byte order mark,
 * with quotes for escapes that the engine does not know, and the elements of an array as lines. Throws FileFault.
 */
export async function* plainText(source: ByteSource, format: TextFormat): Chunks {
  const text = decoded(inflated(source), format);
  if (format.kind === 'json') yield* format.layout === 'array' ? elementsOf(text) : text;
  else if (!hasForeignEscapes(format)) yield* text;
  else {
    const unescaper = createUnescaper(format);
    for await (const chunk of text) yield unescaper.push(chunk);
    yield unescaper.end();
  }
}

async function* inflated(source: ByteSource): Chunks {
  const head = await readWhole(source, 0, HEAD_BYTES);
  const other = foreignContainer(head);
  if (other !== undefined) throw new FileFault(other);
  const decoder = decoderFor(head);
  if (decoder === undefined) {
    yield* source.read(0, source.size);
    return;
  }
  const piped = pipeline(Readable.from(source.read(0, source.size)), decoder);
  // It is heard of below, or the stream was left early.
  piped.catch(() => {});
  let bytes = 0;
  try {
    for await (const chunk of decoder as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MOST_INFLATED)
        throw new FileFault(
          `inflated, the file has more than ${MOST_INFLATED} bytes; no more are read. Land it in parts`,
          true,
        );
      yield chunk;
    }
    await piped;
  } catch (cause) {
    throw isDecoding(cause) && cause instanceof Error ? new FileFault(damagedArchive(cause.message)) : cause;
  }
  const rest = source.size - decoder.bytesWritten;
  if (rest !== 0) throw new FileFault(afterTheEnd(rest));
}

async function* decoded(chunks: Chunks, format: TextFormat): Chunks {
  const [head, rest] = await beginning(chunks, 3);
  if (head.length === 0) throw new FileFault('the file is empty (0 bytes)');
  const declared = format.kind === 'csv' ? format.encoding : 'utf-8';
  const utf16 = utf16Mark(head);
  if (declared === 'utf-8') {
    if (utf16 !== undefined) throw new FileFault(otherMark(utf16));
    yield head.subarray(bomIn(head));
    yield* rest;
    return;
  }
  const decoder = new TextDecoder(declared === 'utf-16' ? (utf16 ?? 'utf-16le') : LATIN1, { fatal: true });
  try {
    yield Buffer.from(decoder.decode(head, { stream: true }));
    for await (const chunk of rest) yield Buffer.from(decoder.decode(chunk, { stream: true }));
    yield Buffer.from(decoder.decode());
  } catch (cause) {
    throw cause instanceof TypeError ? new FileFault(notDecodable(declared, cause)) : cause;
  }
}

/** At least the first bytes, where there are so many, and what follows. */
async function beginning(chunks: Chunks, bytes: number): Promise<readonly [Buffer, Chunks]> {
  let head = Buffer.alloc(0);
  while (head.length < bytes) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  return [head, chunks];
}

async function* elementsOf(text: Chunks): Chunks {
  const scanner = createArrayScanner();
  for await (const chunk of text) yield scanner.push(chunk);
  const scan = scanner.end();
  if (scan.kind === 'damaged') throw new FileFault(scan.reason);
  if (scan.longest > LONGEST_RECORD) throw new FileFault(tooLongRecord(scan.longest, 'an element'), true);
}
