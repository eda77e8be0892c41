import { join } from 'node:path';
import type { LandedFile } from '../../core/run.ts';
import type { SourceSpec } from '../../core/spec.ts';
import { type FilePart, ofLanded, openParts } from '../../lake/batch/file-parts.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { KeptFiles } from '../../lake/files/keep-files.ts';
import { readBytes } from '../../lake/files/landed-bytes.ts';
import type { LandedRead } from '../../lake/files/read-landed.ts';
import { FileFault } from '../../landing/plain-text.ts';
import { type LookAtFile, lookAtFile, type Strange, strangeColumns, withPlaces } from './strange-columns.ts';

type Rules = { readonly kept: KeptFiles | undefined; readonly partBytes: number };

const NOTHING: Strange = { columns: [], parts: [] };

/** What a cut file has beyond the contract, as if it had been read whole: part by part, as far as they may differ. */
export async function strangeOfParts(
  deps: StepDeps,
  source: SourceSpec,
  parts: readonly LandedFile[],
  rules: Rules,
): Promise<LandedRead<Strange>> {
  const found: Strange[] = [];
  for (const part of tellingParts(source, parts)) {
    const { value = [], left } = await readBytes({ ...deps, kept: rules.kept }, part, (bytes) =>
      withPlaces(deps, async (session, folder) => {
        const some: Strange[] = [];
        const opened = openParts(bytes, source, part, { partBytes: rules.partBytes, folder });
        for await (const one of opened) {
          const look = lookAtPart(source, one, join(folder, `look-${some.length}`));
          some.push(await strangeColumns({ deps, session }, source, look));
          if (source.format.kind === 'csv') break;
        }
        return some;
      }),
    ).catch((cause: unknown) => {
      // What is wrong with it is said where it is staged.
      if (cause instanceof FileFault) return { value: [NOTHING], left: [] };
      throw cause;
    });
    if (left.length > 0) return { value: NOTHING, left };
    found.push(...value);
  }
  return { value: found.length === 1 ? (found[0] ?? NOTHING) : union(found), left: [] };
}

/** Of CSV the header says it, of Parquet the footer; objects of JSON name their own columns. */
function tellingParts({ format }: SourceSpec, parts: readonly LandedFile[]): readonly LandedFile[] {
  const [first, second] = parts;
  if (first === undefined || first.in_turn || format.kind === 'json') return parts;
  if (format.kind === 'parquet') return [first];
  const piece = second?.piece;
  return piece?.header === undefined ? [] : [{ ...first, piece: { ...piece, to: piece.from } }];
}

function lookAtPart(source: SourceSpec, part: FilePart, scratch: string): LookAtFile {
  const look = lookAtFile(part.source, part.path, scratch);
  return async (session, again) => {
    const found = await look(session, again);
    return found.kind === 'readable' ? ofLanded(found, part, source) : found;
  };
}

/** Names in the order in which the engine would give those of one file. */
function union(found: readonly Strange[]): Strange {
  const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const columns = new Map(found.flatMap((one) => one.columns).map((column) => [column.name, column]));
  const parts = new Set(found.flatMap((one) => one.parts));
  return {
    columns: [...columns.values()].sort((a, b) => byBytes(a.name, b.name)),
    parts: [...parts].sort(byBytes),
  };
}
