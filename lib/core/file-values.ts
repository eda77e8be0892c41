/**
 * Where a column's values lie in one Parquet file whose columns are found by name. `whole`: as the file has them;
 * `constant`: the same text for all rows, for a partition value that is not in the file; `absent`: NULL.
 */
export type FileValue =
  | { readonly kind: 'absent' }
  | { readonly kind: 'constant'; readonly text: string }
  | { readonly kind: 'whole'; readonly name: string }
  | { readonly kind: 'list'; readonly name: string; readonly element: FileValue }
  | {
      readonly kind: 'struct';
      readonly name: string;
      readonly fields: readonly { readonly name: string; readonly value: FileValue }[];
    };
