import type { Bin, DeletedRows, RewriteReason, RewriteUnit } from '../core/maintenance.ts';
import { packEvenly, packInOrder } from './pack.ts';

/** A data file of a table, as its manifests have it. */
export type Candidate = {
  readonly path: string;
  readonly foreign: boolean;
  readonly spec: number;
  readonly partition: string;
  readonly rows: number;
  readonly bytes: number;
  /** Rows of it are deleted by position. */
  readonly deleted?: DeletedRows;
  /** Its place among the files of the table, where rows are to lie in an order. */
  readonly place?: number;
  /** Where it lies in each column of that order, from 0 to 1 of all that the column has. */
  readonly spans?: readonly { readonly low: number; readonly high: number }[];
};

export type RewriteRules = {
  /** Bytes that a data file should have. */
  readonly targetBytes: number;
  /** Small files that a partition needs to be worth rewriting. */
  readonly minFiles: number;
  /** Bytes of Parquet that one worker takes. */
  readonly unitBytes: number;
  /** All rows are laid out anew, whatever the sizes of their files. */
  readonly rearrange: boolean;
};

/** Files below this part of the target are joined, files above the other are split. */
const SMALL = 0.75;
const LARGE = 1.8;

/** Files that are ordered together: few, and the order narrows little; many, and a worker has to spill. */
const ORDERED_FILES = 4;

/**
 * The files of a table that are worth rewriting, in the groups in which they are written anew. A group lies in one
 * partition of one spec, since a data file does. Small files are joined in their order, to at most the target size; those
 * of a partition that has few of them are left alone, and so is one that fits to no other, so that what has been
 * compacted is not compacted again. Files with deleted rows are always written anew, without them.
 */
export function planBins(files: readonly Candidate[], rules: RewriteRules): readonly Bin[] {
  const partitions = Map.groupBy(files, ({ spec, partition }) => `${spec} ${partition}`);
  return [...partitions.values()].flatMap((members) =>
    rules.rearrange ? orderedBins(members, rules) : sizedBins(members, rules),
  );
}

function sizedBins(members: readonly Candidate[], rules: RewriteRules): readonly Bin[] {
  if (members.some(({ place }) => place !== undefined)) return neighbourBins(members, rules);
  const { whole = [], deleted = [] } = Object.groupBy(members, (file) => (file.deleted ? 'deleted' : 'whole'));
  return [...smallBins(whole, rules), ...largeBins(whole, rules), ...deletedBins(deleted, rules)];
}

/** Only files that lie beside each other are joined, so that files that are apart stay so. */
function neighbourBins(files: readonly Candidate[], rules: RewriteRules): readonly Bin[] {
  const members = files.toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0));
  const { targetBytes } = rules;
  const isSmall = (file: Candidate): boolean => !file.deleted && file.bytes < targetBytes * SMALL;
  const runs: Candidate[][] = [[]];
  for (const file of members) {
    if (isSmall(file)) runs.at(-1)?.push(file);
    else runs.push([]);
  }
  const joined =
    members.filter(isSmall).length < rules.minFiles ? [] : runs.flatMap((run) => joinSmall(run, targetBytes));
  const deleted = members.filter((file) => file.deleted).flatMap((file) => deletedBins([file], rules));
  return [
    ...joined,
    ...largeBins(
      members.filter((file) => !file.deleted),
      rules,
    ),
    ...deleted,
  ];
}

function joinSmall(files: readonly Candidate[], targetBytes: number): readonly Bin[] {
  const groups = packInOrder(files, targetBytes, ({ bytes }) => bytes).filter((group) => group.length > 1);
  // All in one file, even if they grow.
  return groups.map((group) => bin(group, 'small', targetBytes * LARGE));
}

function deletedBins(members: readonly Candidate[], { targetBytes }: RewriteRules): readonly Bin[] {
  const groups = packInOrder(members, targetBytes, ({ bytes }) => bytes);
  return groups.map((group) => bin(group, 'deleted', sliceBytes(sum(group, 'bytes'), targetBytes)));
}

function smallBins(members: readonly Candidate[], { targetBytes, minFiles }: RewriteRules): readonly Bin[] {
  const small = members.filter(({ bytes }) => bytes < targetBytes * SMALL);
  if (small.length < minFiles) return [];
  return joinSmall(small, targetBytes);
}

function largeBins(members: readonly Candidate[], { targetBytes }: RewriteRules): readonly Bin[] {
  const large = members.filter(({ bytes, rows }) => bytes > targetBytes * LARGE && rows > 1);
  return large.map((file) => bin([file], 'large', sliceBytes(file.bytes, targetBytes)));
}

/** Files that lie near each other in the order are written anew together. */
function orderedBins(files: readonly Candidate[], { targetBytes, unitBytes }: RewriteRules): readonly Bin[] {
  const members = files.toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0));
  const groups = evenGroups(members, Math.max(unitBytes, targetBytes * ORDERED_FILES));
  return groups.map((group) => ({
    ...bin(group, 'order', sliceBytes(sum(group, 'bytes'), targetBytes)),
    ...widthsOf(group),
  }));
}

/** In their order, as many groups of like size as a column is halved into, so that they begin and end where boxes of a Z-order do. */
function evenGroups(files: readonly Candidate[], most: number): readonly (readonly Candidate[])[] {
  const all = Math.max(1, sum(files, 'bytes'));
  const groups = 2 ** Math.ceil(Math.max(0, Math.log2(all / most)));
  let before = 0;
  const placed = files.map((file) => {
    const middle = before + file.bytes / 2;
    before += file.bytes;
    return { file, group: Math.floor((middle / all) * groups) };
  });
  return [...Map.groupBy(placed, ({ group }) => group).values()].map((group) => group.map(({ file }) => file));
}

function widthsOf(files: readonly Candidate[]): Pick<Bin, 'widths'> {
  const columns = files[0]?.spans ?? [];
  if (columns.length === 0) return {};
  const widths = columns.map((_, at) => {
    const spans = files.flatMap(({ spans = [] }) => spans[at] ?? []);
    return Math.max(...spans.map(({ high }) => high)) - Math.min(...spans.map(({ low }) => low));
  });
  return { widths };
}

/**
 * Whether rows of a partition, which was written anew in some groups to some files, are to be laid out once more. No worker has seen all of
 * them, so that a file holds what its group has of a part of the order; as many parts as files came of a group. Each time divides these again.
 */
export function isHalfOrdered(
  { groups, files }: { readonly groups: number; readonly files: number },
  times: number,
): boolean {
  const parts = files / groups;
  return groups > 1 && parts >= 2 && parts ** times < files;
}

/** Slices of like size, each about the target. */
function sliceBytes(bytes: number, targetBytes: number): number {
  return bytes / Math.max(1, Math.round(bytes / targetBytes));
}

function bin(files: readonly Candidate[], reason: RewriteReason, fileBytes: number): Bin {
  const [first] = files;
  return {
    spec: first?.spec ?? 0,
    partition: first?.partition ?? '',
    reason,
    files: files.map(({ path, foreign, rows, deleted }) => ({ path, foreign, rows, ...(deleted && { deleted }) })),
    rows: sum(files, 'rows'),
    bytes: sum(files, 'bytes'),
    file_bytes: Math.max(1, Math.ceil(fileBytes)),
  };
}

/** Bins as units of work of like size, none of more than one worker takes. */
export function packUnits(
  table: string,
  round: number,
  bins: readonly Bin[],
  { unitBytes }: Pick<RewriteRules, 'unitBytes'>,
): readonly RewriteUnit[] {
  return packEvenly(bins, unitBytes, ({ bytes }) => bytes).map((group, at) => ({
    unit: `rewrite-${round}-${table}-${String(at).padStart(5, '0')}`,
    table,
    bins: group,
  }));
}

/** Into how many parts rows are cut by halving, so that files are as far above their size as below it, and the largest part of a bin that is one file. */
export function fileParts(files: number): { readonly least: number; readonly most: number } {
  return { least: files / Math.SQRT2, most: LARGE / files };
}

/** About how many files come of a bin. */
export function filesAfter({ bytes, file_bytes }: Pick<Bin, 'bytes' | 'file_bytes'>): number {
  return Math.max(1, Math.round(bytes / file_bytes));
}

function sum(files: readonly Candidate[], of: 'rows' | 'bytes'): number {
  return files.reduce((total, file) => total + file[of], 0);
}
