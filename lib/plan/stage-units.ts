import { condemnsDuplicates } from '../core/dedupe.ts';
import type { LandedFile, RunPlan } from '../core/run.ts';
import type { PipelineSettings, SilverModel, SourceSpec } from '../core/spec.ts';
import { packInOrder } from './pack.ts';

/** Factor by which compressed text grows when it is read; an estimate for sizing units only. */
const INFLATION = 6;

/** Bytes a worker will parse for a file. */
export function parsedBytes(file: LandedFile): number {
  if (file.piece !== undefined) return file.piece.to - file.piece.from;
  return isCompressed(file) ? file.size * INFLATION : file.size;
}

function isCompressed({ key }: LandedFile): boolean {
  return /\.(gz|zst|zstd)$/i.test(key);
}

/** What workers parse for all of them. */
export function parsedBytesOf(files: readonly LandedFile[]): number {
  return files.reduce((sum, file) => sum + parsedBytes(file), 0);
}

/** The sizes of a run's units: those of the pipeline, within what the memory allowed that the run was planned with. */
export function unitSettings({ spec, unit_bytes }: Pick<RunPlan, 'spec' | 'unit_bytes'>): PipelineSettings {
  const { unitBytes } = spec.settings;
  return { ...spec.settings, unitBytes: Math.min(unitBytes, unit_bytes ?? unitBytes) };
}

/** A silver model's files, each list a unit. A part of a file has one for itself, and so has a file that is read in parts. */
export function packFiles(
  model: Pick<SilverModel, 'mode'>,
  files: readonly LandedFile[],
  { unitBytes }: Pick<PipelineSettings, 'unitBytes'>,
): readonly (readonly LandedFile[])[] {
  // Rows that are condemned for their key have to be seen together: what a merge finds out comes after validation.
  const limit = condemnsDuplicates(model) ? Number.POSITIVE_INFINITY : unitBytes;
  return runsOf(model, files).flatMap((run) => packInOrder(run, limit, weigh));
}

/** A file is not cut into parts that are smaller: each is a unit, which costs more than its rows do. */
const LEAST_PART = 64 * 1024;

/** Of a file that one unit takes in turn, more than there are. */
export const MOST_PARTS = 100_000;

/** Bytes of a file that a run takes in one part. */
export function partBytesOf(plan: Pick<RunPlan, 'spec' | 'unit_bytes'>): number {
  return Math.max(LEAST_PART, unitSettings(plan).unitBytes);
}

type Keyed = Partial<Pick<SourceSpec, 'key'>>;

/**
 * Whether all rows of a file have to be seen at once: those that are condemned for their key, and, where rejections are
 * counted, those that are dropped before as equal to a row of the table.
 */
export function staysTogether(model: Pick<SilverModel, 'mode'>, source: Keyed): boolean {
  const byHash = model.mode.kind === 'append' && model.mode.dedupe?.by === 'row';
  return condemnsDuplicates(model) || (byHash && staysInOrder(source));
}

/** Whether parts of a file are taken in their order: rejections of a key are counted. */
export function staysInOrder({ key = [] }: Keyed): boolean {
  return key.length > 0;
}

/** The parts into which a file will be cut, as far as its name and size say. */
export function likelyParts(file: LandedFile, partBytes: number): readonly LandedFile[] {
  const parts = isCompressed(file) ? 1 : Math.ceil(file.size / Math.max(LEAST_PART, partBytes));
  if (parts < 2) return [file];
  const place = (nth: number): number => Math.floor((file.size * nth) / parts);
  return Array.from({ length: parts }, (_, nth) => ({
    ...file,
    piece: { nth, from: place(nth), to: place(nth + 1), lines: 0 },
  }));
}

/** How many units a model's files will make, as far as their names and sizes say. */
export function countUnits(
  { sources, settings }: UnitsOf,
  model: Pick<SilverModel, 'mode' | 'from'>,
  files: readonly LandedFile[],
): number {
  const source = sources.find(({ name }) => name === model.from);
  const whole = source === undefined || staysTogether(model, source) || staysInOrder(source);
  const parts = whole ? files : files.flatMap((file) => likelyParts(file, settings.unitBytes));
  return packFiles(model, parts, settings).length;
}

type UnitsOf = {
  readonly sources: readonly (Pick<SourceSpec, 'name'> & Partial<Pick<SourceSpec, 'key'>>)[];
  readonly settings: Pick<PipelineSettings, 'unitBytes'>;
};

export function isCut(file: LandedFile): boolean {
  return file.piece !== undefined || file.in_turn === true;
}

/** What becomes of a file that was cut is seen when all its parts are staged: nothing else may be in their units. */
function weigh(file: LandedFile): number {
  return isCut(file) ? Number.POSITIVE_INFINITY : parsedBytes(file);
}

/** Where the rows of one batch take the place of those before it, no unit has files of two. */
function runsOf({ mode }: Pick<SilverModel, 'mode'>, files: readonly LandedFile[]): readonly (readonly LandedFile[])[] {
  const apart = mode.kind === 'replace' || mode.kind === 'full';
  return apart ? [...Map.groupBy(files, ({ batch }) => batch ?? 0).values()] : [files];
}

/** Partitions of a gold table that one unit computes again. */
const PARTITIONS_PER_UNIT = 25;

/** Touched partitions shared out, none when nothing is touched; `null`, all of the table, is one unit. */
export function packPartitions<Partition>(
  touched: readonly Partition[] | null,
): readonly (readonly Partition[] | null)[] {
  return touched === null ? [null] : packInOrder(touched, PARTITIONS_PER_UNIT, () => 1);
}
