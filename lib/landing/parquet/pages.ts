import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type ColumnChunk, type Footer, readAt } from './footer.ts';
import { decodeStruct, intAt, structAt, type ThriftStruct } from './thrift.ts';

const HEADER_BYTES = 512;
/** A header has the statistics of its page, whose values may be long. */
const LONGEST_HEADER = 16 * 1024 * 1024;
const PAGE = { data: 0, index: 1, dictionary: 2, dataV2: 3 };

/**
 * Goes from page to page of every column: that each header is one, that the pages of a column have as many values as
 * the footer says, and that a page whose header has a checksum has it. Throws RangeError with the first that is not so.
 */
export async function checkPages(file: FileHandle, footer: Footer): Promise<void> {
  for (const [index, group] of footer.rowGroups.entries()) {
    for (const [i, chunk] of group.chunks.entries()) {
      if (chunk.values === 0) continue;
      const where = `column ${JSON.stringify(footer.leaves[i]?.path.join('.') ?? '')} of row group ${index}`;
      await checkChunk(file, chunk, footer.start, where);
    }
  }
}

async function checkChunk(file: FileHandle, chunk: ColumnChunk, end: number, where: string): Promise<void> {
  let at = chunk.start;
  let values = 0;
  while (values < chunk.values) {
    const { header, length } = await readHeader(file, at, end, where);
    const size = Number(intAt(header, 3) ?? -1);
    const from = at + length;
    if (size < 0 || from + size > end) {
      throw new RangeError(`${where}: the page at byte ${at} is said to have ${size} bytes, the pages end at ${end}`);
    }
    await checkSum(file, header, { from, size }, `${where}: the page at byte ${at}`);
    values += valuesOf(header, `${where}: the page at byte ${at}`);
    at = from + size;
  }
  if (values !== chunk.values) {
    throw new RangeError(`${where}: its pages have ${values} values, its footer says ${chunk.values}`);
  }
}

async function readHeader(
  file: FileHandle,
  at: number,
  end: number,
  where: string,
): Promise<{ readonly header: ThriftStruct; readonly length: number }> {
  for (let room = HEADER_BYTES; ; room *= 16) {
    const bytes = await readAt(file, at, Math.max(0, Math.min(room, end - at)));
    try {
      const { struct, length } = decodeStruct(bytes);
      return { header: struct, length };
    } catch (cause) {
      if (room < LONGEST_HEADER && at + room < end) continue;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RangeError(`${where}: the page at byte ${at} has no page header (${reason})`, { cause });
    }
  }
}

async function checkSum(
  file: FileHandle,
  header: ThriftStruct,
  page: { readonly from: number; readonly size: number },
  where: string,
): Promise<void> {
  const sum = intAt(header, 4);
  if (sum === undefined) return;
  const found = crc32(await readAt(file, page.from, page.size));
  if (BigInt.asUintN(32, sum) !== BigInt(found)) throw new RangeError(`${where} has a wrong checksum`);
}

/** Values of a page that count for its column: those of data pages. */
function valuesOf(header: ThriftStruct, where: string): number {
  const type = Number(intAt(header, 1) ?? -1);
  if (type === PAGE.dictionary || type === PAGE.index) return 0;
  const data = structAt(header, type === PAGE.dataV2 ? 8 : 5);
  const count = data && type <= PAGE.dataV2 ? Number(intAt(data, 1) ?? -1) : -1;
  if (count < 0) throw new RangeError(`${where} is neither a data page nor a dictionary`);
  return count;
}
