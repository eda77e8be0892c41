import { open } from 'node:fs/promises';
import type { FilePiece } from '../../core/file-piece.ts';
import { type ByteSource, readWhole } from '../byte-source.ts';
import type { Cut } from '../cut.ts';
import { type Footer, type RowGroup, readFooterBy } from './footer.ts';
import { chunkRange, renderEnd } from './parts.ts';

/** Cuts a Parquet file into parts of about `bytes` between its row groups. */
export async function cutParquet(source: ByteSource, bytes: number): Promise<Cut> {
  try {
    const footer = await footerOf(source);
    const pieces = cutGroups(footer, bytes);
    return pieces.length < 2 ? { kind: 'whole' } : { kind: 'pieces', pieces };
  } catch (cause) {
    if (cause instanceof RangeError) return { kind: 'refused', code: 'UNREADABLE_FILE', reason: cause.message };
    throw cause;
  }
}

function cutGroups(footer: Footer, bytes: number): readonly FilePiece[] {
  const pieces: FilePiece[] = [];
  let [first, rows, rowsBefore, held] = [0, 0, 0, 0];
  for (const [at, group] of footer.rowGroups.entries()) {
    held += group.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
    rows += group.rows;
    if (held < bytes && at < footer.rowGroups.length - 1) continue;
    const groups = { from: first, to: at + 1 };
    pieces.push({ nth: pieces.length, ...spanOf(footer, groups), lines: rowsBefore, groups });
    [first, rowsBefore, held] = [at + 1, rows, 0];
  }
  return pieces;
}

/** The bytes of some row groups, with all that stands between their pages. */
function spanOf(footer: Footer, groups: { readonly from: number; readonly to: number }): { from: number; to: number } {
  const ranges = chunksOf(footer.rowGroups.slice(groups.from, groups.to));
  const from = Math.min(...ranges.map(({ start }) => start), footer.start);
  const last = Math.max(...ranges.map(({ start }) => start), from);
  const end = Math.max(...ranges.map(({ end: one }) => one), from);
  // A footer may understate the bytes of the last pages: what begins next ends them at the latest.
  const next = chunksOf(footer.rowGroups).flatMap(({ start }) => (start > last ? [start] : []));
  return { from, to: Math.max(end, Math.min(footer.start, ...next)) };
}

function chunksOf(groups: readonly RowGroup[]) {
  return groups.flatMap(({ chunks }) => chunks.filter(({ values }) => values > 0).map(chunkRange));
}

/** Writes a file that has some row groups of another at their own places, holes elsewhere, and a footer of its own. */
export async function takeRowGroups(source: ByteSource, piece: FilePiece, target: string): Promise<void> {
  const { groups, from, to } = piece;
  const footer = await footerOf(source);
  const file = await open(target, 'w');
  try {
    await file.write(await readWhole(source, 0, MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    let at = from;
    for await (const chunk of source.read(from, to)) {
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
    }
    const end = renderEnd(footer, footer.rowGroups.slice(groups?.from, groups?.to));
    await file.write(end, 0, end.length, footer.start);
  } finally {
    await file.close();
  }
}

const MAGIC_BYTES = 4;

function footerOf(source: ByteSource): Promise<Footer> {
  return readFooterBy((from, length) => readWhole(source, from, from + length), source.size);
}
