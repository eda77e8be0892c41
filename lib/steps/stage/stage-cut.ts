import { join } from 'node:path';
import { objectName } from '../../core/objects.ts';
import type { FileOutcome, LandedFile } from '../../core/run.ts';
import type { SilverModel, SourceSpec } from '../../core/spec.ts';
import { requireAlone } from '../../core/turns.ts';
import { type EarlierRejections, inspectFiles, rejectFile } from '../../lake/batch/batch-files.ts';
import { type FilePart, ofLanded, openParts } from '../../lake/batch/file-parts.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { KeptFiles } from '../../lake/files/keep-files.ts';
import { readBytes } from '../../lake/files/landed-bytes.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, joinResults, type UnitResult } from '../../lake/run/unit-result.ts';
import type { ByteSource } from '../../landing/byte-source.ts';
import { FileFault } from '../../landing/plain-text.ts';
import { partBytesOf } from '../../plan/stage-units.ts';
import type { Attempt } from './map-files.ts';

type StageAttempt = (context: UnitContext, attempt: Attempt, deps: StepDeps) => Promise<UnitResult>;

/** Of a cut file what a unit takes of it, and how it is read. */
export type CutFile = {
  readonly file: LandedFile;
  readonly source: SourceSpec;
  readonly kept: KeptFiles | undefined;
};

/** Stages a part of a file, or all of its parts one after the other, with no more than one of them on the disk. */
export async function stageCut(
  context: UnitContext,
  model: SilverModel,
  cut: CutFile,
  stage: StageAttempt,
  deps: StepDeps,
): Promise<UnitResult> {
  const { file, kept } = cut;
  const nothing = emptyResult(context.unit.unit, model.id);
  const { value = nothing, left } = await readBytes({ ...deps, kept }, file, async (bytes) => {
    const parts: UnitResult[] = [];
    const fault = await takeParts(context, cut, bytes, parts, stage, deps);
    return fault === undefined ? together(nothing, file, parts) : { ...nothing, files: [fault] };
  });
  return left.length === 0 ? value : { ...value, left };
}

/** Stages parts until one says that the file cannot be read. */
async function takeParts(
  context: UnitContext,
  { file, source }: CutFile,
  bytes: ByteSource,
  parts: UnitResult[],
  stage: StageAttempt,
  deps: StepDeps,
): Promise<FileOutcome | undefined> {
  await using scratch = await openScratch(deps, context.unit.unit);
  const rules = { partBytes: partBytesOf(context.plan), folder: scratch.folder };
  try {
    for await (const part of openParts(bytes, source, file, rules)) {
      const { unit } = context;
      const nth = { ...context, unit: { ...unit, ordinal: unit.ordinal + parts.length } };
      const rejections = rejectionsOf(source, scratch.folder, parts.length);
      const staged = await stagePart(nth, { file, source, part, rejections }, stage, deps);
      const bad = staged.files.find(({ status }) => status !== 'ingested');
      if (bad !== undefined) return bad;
      parts.push(staged);
    }
    return undefined;
  } catch (cause) {
    if (!(cause instanceof FileFault)) throw cause;
    // What others have taken of the disk may be what it did not find.
    if (cause.tooLarge) requireAlone(deps.turns, cause.message);
    return rejectFile(file, cause.tooLarge ? 'FILE_TOO_LARGE' : 'UNREADABLE_FILE', cause.message);
  }
}

async function stagePart(
  context: UnitContext,
  { file, source, part, rejections }: PartWork,
  stage: StageAttempt,
  deps: StepDeps,
): Promise<UnitResult> {
  await using scratch = await openScratch(deps, `${context.unit.unit}-part`);
  const { folder } = scratch;
  const paths = new Map([[objectName(file), part.path]]);
  const { readable, rejected } = await inspectFiles(deps, part.source, [file], { paths }, folder);
  const found = readable.map((one) => ofLanded(one, part, source));
  const attempt = { source, scratch: folder, readable: found, rejected };
  return await stage(context, rejections === undefined ? attempt : { ...attempt, rejections }, deps);
}

type PartWork = Pick<CutFile, 'file' | 'source'> & {
  readonly part: FilePart;
  readonly rejections: EarlierRejections | undefined;
};

/** Rejections are counted for the keys of a source that has one: parts pass them on. */
function rejectionsOf(source: SourceSpec, folder: string, nth: number): EarlierRejections | undefined {
  if (source.key.length === 0) return undefined;
  const place = (part: number): string => join(folder, `rejections-${part}.parquet`);
  return { before: Array.from({ length: nth }, (_, part) => place(part)), own: place(nth) };
}

/** One outcome of the file with the records of all parts. */
function together(nothing: UnitResult, file: LandedFile, parts: readonly UnitResult[]): UnitResult {
  const outcomes = parts.flatMap(({ files }) => files);
  const records = outcomes.reduce((sum, one) => sum + one.records, 0);
  const { in_turn: _, ...landed } = file;
  const ingested: FileOutcome = { ...landed, status: 'ingested', records, code: null, reason: null };
  return { ...joinResults(nothing, parts), files: [ingested] };
}
