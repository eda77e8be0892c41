import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type FileHead, readChunks } from './file-bytes.ts';
import { type ArrayScanner, createArrayScanner } from './json-array.ts';
import { LONGEST_RECORD, tooLongRecord } from './limits.ts';
import { bomBytes, openPlain, type TextFormat } from './text-file.ts';

/** A JSON array as a file of lines, one for each element. */
export type ArrayFile =
  | {
      readonly kind: 'array';
      readonly path: string;
      readonly bytes: number;
      readonly elements: number;
      readonly longest: number;
    }
  | { readonly kind: 'damaged'; readonly reason: string; readonly tooLarge?: true };

/** Writes the elements of a landed array to `<scratch path>.elements`, inflated, if the file is one array and nothing else. */
export async function openArrayFile(landed: string, format: TextFormat, scratch: string): Promise<ArrayFile> {
  const plain = await openPlain(landed, format, scratch);
  if (plain.kind === 'damaged') return plain;
  const path = `${scratch}.elements`;
  const scanner = createArrayScanner();
  const target = createWriteStream(path);
  await pipeline(copyElements(plain.file, scanner), target);
  const scan = scanner.end();
  if (scan.kind === 'damaged') return scan;
  const { elements, longest } = scan;
  if (longest > LONGEST_RECORD) {
    return { kind: 'damaged', reason: tooLongRecord(longest, 'an element'), tooLarge: true };
  }
  return { kind: 'array', path, bytes: target.bytesWritten, elements, longest };
}

async function* copyElements(file: FileHead, scanner: ArrayScanner): AsyncGenerator<Uint8Array> {
  for await (const chunk of readChunks(file, bomBytes(file))) {
    const lines = scanner.push(chunk);
    if (lines.length > 0) yield lines;
  }
}
