import { objectName } from '../../core/objects.ts';
import type { FileOutcome, LandedFile } from '../../core/run.ts';
import { emptyResult, type UnitResult } from './unit-record.ts';

/**
 * Unit results as if no file had been cut: of a cut file, whose parts have units of their own, one outcome with the records
 * of all. A file of which one part is rejected, suspended or left is so as a whole: what was staged of the others counts
 * for nothing.
 */
export function settlePieces(results: readonly UnitResult[]): readonly UnitResult[] {
  const byFile = Map.groupBy(results, cutFileOf);
  if (byFile.size === 0 || (byFile.size === 1 && byFile.has(undefined))) return results;
  const settled = new Map<UnitResult, UnitResult>();
  for (const [name, parts] of byFile) {
    if (name === undefined) continue;
    for (const [i, part] of settleFile(parts).entries()) settled.set(parts[i] ?? part, part);
  }
  return results.map((result) => settled.get(result) ?? result);
}

function cutFileOf({ files, left = [] }: UnitResult): string | undefined {
  const cut = [...files, ...left].find((file) => file.piece !== undefined);
  return cut && objectName(cut);
}

function settleFile(parts: readonly UnitResult[]): readonly UnitResult[] {
  const gone = parts.flatMap(({ left = [] }) => left)[0];
  if (gone !== undefined) return alone(parts, { left: [whole(gone)] });
  const outcomes = parts.flatMap(({ files }) => files);
  const bad =
    outcomes.find(({ status }) => status === 'rejected') ?? outcomes.find((one) => one.status === 'suspended');
  if (bad !== undefined) return alone(parts, { files: [whole(bad)] });
  const records = outcomes.reduce((sum, one) => sum + one.records, 0);
  const files = outcomes.slice(0, 1).map((one): FileOutcome => ({ ...whole(one), records }));
  return parts.map((part, i) => ({ ...part, files: i === 0 ? files : [] }));
}

/** Parts of which nothing counts but what the first says of the file. What they took is spent. */
function alone(parts: readonly UnitResult[], says: Partial<UnitResult>): readonly UnitResult[] {
  return parts.map((part, i) => {
    const { unit, model, ms, spent } = part;
    const nothing = { ...emptyResult(unit, model), ms, ...(spent && { spent }) };
    return i === 0 ? { ...nothing, ...says } : nothing;
  });
}

function whole<File extends LandedFile>({ piece, ...file }: File): Omit<File, 'piece'> {
  return file;
}
