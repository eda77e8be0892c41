import { open } from 'node:fs/promises';
import type { FilePiece } from '../core/file-piece.ts';
import type { SourceFormat } from '../core/spec.ts';
import { type ByteSource, passBytes, readWhole } from './byte-source.ts';
import { isLatin1 } from './cut-file.ts';
import { containerOf } from './inflate.ts';
import { takeRowGroups } from './parquet/pieces.ts';
import { BOM, bomIn, LATIN1, type TextFormat } from './text-file.ts';

/**
 * Writes a part of a landed text to a file of its own, in UTF-8, below the header where there is one. Where its first bytes
 * would be taken for those of an archive, or for a byte order mark, such a mark comes before them: they are the text of a
 * record. Nowhere else, since DuckDB does not see a quote behind a mark.
 */
export async function takePiece(
  source: ByteSource,
  piece: FilePiece,
  format: SourceFormat,
  target: string,
): Promise<void> {
  if (format.kind === 'parquet') return takeRowGroups(source, piece, target);
  const { header } = piece;
  const start = header?.from ?? piece.from;
  const head = await readWhole(source, start, start + HEAD_BYTES);
  const mistakable = containerOf(head) !== 'plain' || (!isLatin1(format) && bomIn(head) > 0);
  const inUtf8 = createTranslator(format);
  const file = await open(target, 'w');
  try {
    if (mistakable) await file.writeFile(BOM);
    if (header !== undefined) await file.writeFile(inUtf8(endWithLf(await readWhole(source, header.from, header.to))));
    await passBytes(source, piece.from, piece.to, (bytes) => file.writeFile(inUtf8(bytes)));
  } finally {
    await file.close();
  }
}

const HEAD_BYTES = 8;

function createTranslator(format: TextFormat): (bytes: Uint8Array) => Uint8Array {
  if (!isLatin1(format)) return (bytes) => bytes;
  // Each byte is a character.
  const decoder = new TextDecoder(LATIN1);
  return (bytes) => Buffer.from(decoder.decode(bytes));
}

/** A header with the one line break that makes no pair with what comes behind it. */
export function endWithLf(header: Buffer): Buffer {
  let end = header.length;
  if (header[end - 1] === LF) end -= 1;
  if (header[end - 1] === CR) end -= 1;
  return Buffer.concat([header.subarray(0, end), Buffer.of(LF)]);
}

const LF = 0x0a;
const CR = 0x0d;

/** What has to be added to a line of a part's own file for the line of the landed file. */
export function linesBefore({ lines, header }: FilePiece): number {
  return lines - (header?.lines ?? 0);
}
