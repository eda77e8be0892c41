import { objectName } from '../../core/objects.ts';
import type { FileOutcome, LandedFile, LeftFile } from '../../core/run.ts';
import type { SilverModel, SourceSpec } from '../../core/spec.ts';
import { rejectFile } from '../../lake/batch/batch-files.ts';
import { type BytesDeps, readBytes } from '../../lake/files/landed-bytes.ts';
import type { Cut } from '../../landing/cut.ts';
import { cutFile } from '../../landing/cut-file.ts';
import { parsedBytes, staysInOrder, staysTogether } from '../../plan/stage-units.ts';

export type CutFiles = {
  /** With the parts of a file in its place. */
  readonly files: readonly LandedFile[];
  readonly refused: readonly FileOutcome[];
  readonly left: readonly LeftFile[];
};

/**
 * Cuts files that are larger than a unit where records begin, and says of which it is known that they cannot be read. Where
 * rows of a file have to be seen together, it stays whole. `gone`: the names of those that are not read.
 */
export async function cutFiles(
  deps: BytesDeps,
  { source, model }: { readonly source: SourceSpec; readonly model: SilverModel },
  { files, gone }: { readonly files: readonly LandedFile[]; readonly gone: ReadonlySet<string> },
  partBytes: number,
): Promise<CutFiles> {
  const together = staysTogether(model, source);
  const cut: LandedFile[] = [];
  const refused: FileOutcome[] = [];
  const left: LeftFile[] = [];
  for (const file of files) {
    if (together || gone.has(objectName(file)) || parsedBytes(file) <= partBytes) {
      cut.push(file);
      continue;
    }
    // Rejections are counted in the order of the rows.
    const inTurn = staysInOrder(source);
    if (inTurn && source.format.kind !== 'parquet') {
      cut.push({ ...file, in_turn: true });
      continue;
    }
    const looked = await readBytes(deps, file, (bytes) =>
      cutFile(bytes, source.format, Math.ceil(bytes.size / Math.ceil(bytes.size / partBytes))),
    );
    left.push(...looked.left);
    const parts = partsOf(file, looked.value);
    cut.push(...(inTurn && parts.length > 1 ? [{ ...file, in_turn: true as const }] : parts));
    const { value: found } = looked;
    if (found?.kind === 'refused') refused.push(rejectFile(file, found.code, found.reason));
  }
  return { files: cut, refused, left };
}

function partsOf(file: LandedFile, found: Cut | undefined): readonly LandedFile[] {
  switch (found?.kind) {
    case 'pieces':
      return found.pieces.map((piece) => ({ ...file, piece }));
    case 'in turn':
      return [{ ...file, in_turn: true }];
    default:
      return [file];
  }
}
