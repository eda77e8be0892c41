import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { FilePiece } from '../core/file-piece.ts';

import type { SourceSpec } from '../core/spec.ts';
import { type ByteSource, readWhole } from './byte-source.ts';
import { isLatin1 } from './cut-file.ts';
import { containerOf } from './inflate.ts';
import { BOM, bomIn, LATIN1, type TextFormat } from './text-file.ts';

/**
 * Writes a part of a landed text to a file of its own, in UTF-8, below the header where there is one. Where its first bytes
 * would be taken for those of an archive, or for a byte order mark, such a mark comes before them: they are the text of a
 * record. Nowhere else, since DuckDB does not see a quote behind a mark.
 */
export async function takePiece(
  source: ByteSource,
  piece: FilePiece,
  format: TextFormat,
  target: string,
): Promise<void> {
  const { header } = piece;
  const start = header?.from ?? piece.from;
  const head = await readWhole(source, start, start + HEAD_BYTES);
  const mistakable = containerOf(head) !== 'plain' || (!isLatin1(format) && bomIn(head) > 0);
  await pipeline(async function* () {
    if (mistakable) yield BOM;
    if (header !== undefined) yield* inUtf8(source.read(header.from, header.to), format);
    yield* inUtf8(source.read(piece.from, piece.to), format);
  }, createWriteStream(target));
}

const HEAD_BYTES = 8;

async function* inUtf8(chunks: AsyncIterable<Uint8Array>, format: TextFormat): AsyncGenerator<Uint8Array> {
  if (!isLatin1(format)) return yield* chunks;
  // Each byte is a character.
  const decoder = new TextDecoder(LATIN1);
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk));
}

/** The source as its parts are to be read. */
export function asPieces(source: SourceSpec): SourceSpec {
  const { format } = source;
  return format.kind === 'csv' ? { ...source, format: { ...format, encoding: 'utf-8' } } : source;
}

/** What has to be added to a line of a part's own file for the line of the landed file. */
export function linesBefore({ lines, header }: FilePiece): number {
  return lines - (header?.lines ?? 0);
}
