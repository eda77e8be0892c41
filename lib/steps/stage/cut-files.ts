import { condemnsDuplicates } from '../../core/dedupe.ts';
import { objectName } from '../../core/objects.ts';
import type { FileOutcome, LandedFile, LeftFile } from '../../core/run.ts';
import type { SilverModel, SourceSpec } from '../../core/spec.ts';
import { rejectFile } from '../../lake/batch/batch-files.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { readLanded } from '../../lake/files/read-landed.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { localBytes } from '../../landing/byte-source.ts';
import { type Cut, cutFile } from '../../landing/cut-file.ts';
import { parsedBytes } from '../../plan/stage-units.ts';
import type { ObjectStore } from '../../ports.ts';

/** A file is not cut into parts that are smaller: each is a unit, which costs more than its rows do. */
const LEAST_PIECE = 64 * 1024;

export type CutFiles = {
  /** With the parts of a file in its place. */
  readonly files: readonly LandedFile[];
  readonly refused: readonly FileOutcome[];
  readonly left: readonly LeftFile[];
};

type Reading = Pick<StepDeps, 'log'> & { readonly store: Pick<ObjectStore, 'borrow'> };

/**
 * Cuts files that are larger than a unit where records begin, and says of which it is known that they cannot be read. Where
 * rows of a file have to be seen together, it stays whole.
 */
export async function cutFiles(
  deps: Reading,
  { source, model }: { readonly source: SourceSpec; readonly model: SilverModel },
  files: readonly LandedFile[],
  /** Names of those that are not read. */
  gone: ReadonlySet<string>,
  unitBytes: number,
): Promise<CutFiles> {
  const limit = Math.max(LEAST_PIECE, unitBytes);
  const together = condemnsDuplicates(model) || source.key.length > 0;
  const cut: LandedFile[] = [];
  const refused: FileOutcome[] = [];
  const left: LeftFile[] = [];
  for (const file of files) {
    const small = together || gone.has(objectName(file)) || parsedBytes(file) <= limit;
    const looked = small ? undefined : await lookAt(deps, source, file, limit);
    left.push(...(looked?.left ?? []));
    const found = looked?.value ?? WHOLE;
    if (found.kind === 'refused') refused.push(rejectFile(file, found.code, found.reason));
    if (found.kind === 'pieces') cut.push(...found.pieces.map((piece) => ({ ...file, piece })));
    else cut.push(file);
  }
  return { files: cut, refused, left };
}

const WHOLE: Cut = { kind: 'whole' };

function lookAt(
  deps: Reading,
  { format }: SourceSpec,
  file: LandedFile,
  limit: number,
): ReturnType<typeof readLanded<Cut>> {
  return readLanded(deps, [file], async (present, borrowed) => {
    if (present.length === 0) return WHOLE;
    const bytes = await localBytes(pathOf(borrowed, objectName(file)));
    return cutFile(bytes, format, Math.ceil(bytes.size / Math.ceil(bytes.size / limit)));
  });
}
