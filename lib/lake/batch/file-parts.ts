import { join } from 'node:path';
import type { LandedFile } from '../../core/run.ts';
import type { SourceFormat, SourceSpec } from '../../core/spec.ts';
import type { ByteSource } from '../../landing/byte-source.ts';
import { cutStream } from '../../landing/cut-stream.ts';
import type { Inspection } from '../../landing/inspect.ts';
import { cutParquet } from '../../landing/parquet/pieces.ts';
import { linesBefore, takePiece } from '../../landing/take-piece.ts';
import { readingDialect } from '../../sql/csv-dialect.ts';

/** A part of a file that is larger than a unit, as a file that can be inspected and read. */
export type FilePart = {
  readonly path: string;
  /** How the part is read. */
  readonly source: SourceSpec;
  /** What has to be added to a line or the number of a row for that of the landed file. */
  readonly before: number;
};

/**
 * The parts of a cut file of which a unit has to do with: the one that it was given, or all, one after the other, each there
 * until the next is asked for. Throws FileFault where a file turns out to be damaged.
 */
export async function* openParts(
  bytes: ByteSource,
  source: SourceSpec,
  { piece }: LandedFile,
  { partBytes, folder }: { readonly partBytes: number; readonly folder: string },
): AsyncGenerator<FilePart> {
  const { format } = source;
  if (piece !== undefined) {
    const path = join(folder, 'piece');
    await takePiece(bytes, piece, format, path);
    yield { path, source: { ...source, format: inUtf8(format) }, before: linesBefore(piece) };
    return;
  }
  if (format.kind === 'parquet') {
    yield* openRowGroups(bytes, source, partBytes, folder);
    return;
  }
  for await (const part of cutStream(bytes, format, { bytes: partBytes, folder })) {
    yield { ...part, source: { ...source, format: plainFormat(format) } };
  }
}

async function* openRowGroups(
  bytes: ByteSource,
  source: SourceSpec,
  partBytes: number,
  folder: string,
): AsyncGenerator<FilePart> {
  const cut = await cutParquet(bytes, partBytes);
  if (cut.kind !== 'pieces')
    throw new RangeError(`source ${source.name}: a Parquet file of one part is not read in turn`);
  const path = join(folder, 'piece');
  for (const piece of cut.pieces) {
    await takePiece(bytes, piece, source.format, path);
    yield { path, source, before: linesBefore(piece) };
  }
}

function inUtf8(format: SourceFormat): SourceFormat {
  return format.kind === 'csv' ? { ...format, encoding: 'utf-8' } : format;
}

function plainFormat(format: SourceFormat): SourceFormat {
  if (format.kind === 'csv') return { ...readingDialect(format), encoding: 'utf-8' };
  return format.kind === 'json' ? { ...format, layout: 'lines' } : format;
}

type Readable = Extract<Inspection, { kind: 'readable' }>;

/** What was found of a part's own file, as it is of the landed file. */
export function ofLanded<Found extends Pick<Readable, 'layout' | 'numbering'>>(
  found: Found,
  { before }: FilePart,
  { format }: SourceSpec,
): Found {
  const { layout, numbering } = found;
  const array = layout.kind === 'lines' && format.kind === 'json' && format.layout === 'array';
  return { ...found, layout: array ? { ...layout, kind: 'array' } : layout, numbering: { ...numbering, before } };
}
