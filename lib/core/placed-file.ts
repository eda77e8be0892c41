/** A Parquet file that a unit wrote, at its key in the store. */
export type PlacedFile<Written> = { readonly key: string; readonly written: Written };
