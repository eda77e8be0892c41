/** A column of what a model reads: `batch.<source>`, `silver.<table>`, `gold.<table>`, or `<pipeline>.gold.<table>`. */
export type ColumnRef = readonly [table: string, column: string];

/**
 * Where the columns of a model come from, as its SQL says: copies, what expressions make of them, and counts. Where SQL
 * leaves it open, all that it may be.
 */
export type ColumnOrigins = {
  /** By the model's column; those that come from nothing are left out. */
  readonly columns: Readonly<Record<string, readonly ColumnRef[]>>;
  /** What decides which rows there are: conditions, keys of joins and of groups, limits. */
  readonly rows: readonly ColumnRef[];
};
