/**
 * What a landed file may hold at most. Beyond, it is refused before the engine sees it, since the engine's memory and
 * time are spent on it first. docs/formats.md has each with its remedy.
 */

/** Columns of a file, and of a contract to which drift adds columns. */
export const MOST_COLUMNS = 5_000;

/** Bytes of a record or an element: what a unit's memory has room for. */
export const LONGEST_RECORD = 128 * 1024 * 1024;

/** Bytes of a Parquet footer, which is read whole. */
export const LONGEST_FOOTER = 256 * 1024 * 1024;

/** Row groups of a Parquet file. */
export const MOST_ROW_GROUPS = 100_000;

/** Bytes that a compressed file may inflate to. */
export const MOST_INFLATED = 64 * 1024 ** 3;

/** Of the bytes that are free on the disk, the part that one file may inflate to. */
export const DISK_SHARE = 0.9;

export function tooManyColumns(columns: number): string | undefined {
  if (columns <= MOST_COLUMNS) return undefined;
  return `the file has ${columns} columns; at most ${MOST_COLUMNS} are read. Land them as several files, or as a column of JSON`;
}

/** Why a file with such a record is refused; `undefined`: it is so long that nobody has looked for its end. */
export function tooLongRecord(bytes: number | undefined, what = 'a record'): string {
  const length = bytes === undefined ? `more than ${LONGEST_RECORD}` : `${bytes}`;
  return `${what} is ${length} bytes long; at most ${LONGEST_RECORD} are read. Land large values as files of their own, and their names`;
}
