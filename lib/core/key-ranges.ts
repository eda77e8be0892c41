/** A key as text, from which on keys lie in the next range, or after which they do. */
export type KeyBound = { readonly at: string; readonly after?: true };

/**
 * The keys of a table in ranges, numbered from 0 in the order of the keys: one more than there are bounds. They say what of the table
 * a run reads and writes together, and are forgotten with it: where its files begin and end is all that the table knows of them.
 */
export type KeyRanges = {
  /** The column that has an order: the first of the key. */
  readonly column: string;
  readonly bounds: readonly KeyBound[];
  /** Ranges that came of one, whose files go when either of them is written. */
  readonly cut?: readonly number[];
};

export function countRanges({ bounds }: KeyRanges): number {
  return bounds.length + 1;
}
