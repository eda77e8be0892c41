import type { Bin, RewriteUnit } from '../../core/maintenance.ts';
import type { Packing } from '../../sql/write.ts';

/** What is tried: half a row group, since fewer rows say little of how a column packs, or as many as have so many bytes. */
const TRIED_ROWS = 61_440;
const TRIED_BYTES = 4 * 1024 * 1024;

/** A unit has so many times what is tried, or what the trial takes would not come back. */
const WORTH_TRYING = 16;

/** Of all bytes, the part by which files may grow for the time that is saved. */
const MOST_MORE = 1 / 16;

/** Writes so many rows to a place of no consequence and answers the bytes that they take there. */
export type Trial = (packing: Packing, rows: number) => Promise<number>;

/**
 * How the files of a unit are packed, asked for each bin: by the middle level where rows of its first large one, tried with both,
 * take about as much room with it, and small everywhere else. Time and room depend on the values, which nothing but trying tells.
 */
export function packingOf({ bins }: Pick<RewriteUnit, 'bins'>): (bin: Bin, trial: Trial) => Promise<Packing> {
  const rows = sum(bins, (bin) => bin.rows);
  const bytes = sum(bins, (bin) => bin.bytes);
  const tried = Math.min(TRIED_ROWS, Math.floor(TRIED_BYTES / (bytes / rows)));
  let chosen: Packing | undefined;
  return async (bin, trial) => {
    if (chosen !== undefined) return chosen;
    if (!(tried >= 1 && rows >= tried * WORTH_TRYING && bin.rows >= tried)) return 'small';
    const [small, middle] = [await trial('small', tried), await trial('middle', tried)];
    chosen = middle <= small * (1 + MOST_MORE) ? 'middle' : 'small';
    return chosen;
  };
}

/** How many files of a bin, those that come first, have so many rows; all where it is not known. A scan opens each that it is given. */
export function filesOfFirst({ files }: Pick<Bin, 'files'>, rows: number): number {
  let found = 0;
  const enough = files.findIndex((file) => {
    found += file.deleted === undefined ? (file.rows ?? 0) : 0;
    return found >= rows;
  });
  return enough === -1 ? files.length : enough + 1;
}

function sum(bins: readonly Bin[], of: (bin: Bin) => number): number {
  return bins.reduce((all, bin) => all + of(bin), 0);
}
