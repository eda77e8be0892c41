/** Iceberg field ids of a column and of what is nested in it, as DuckDB's COPY wants them; a list's child is `element`. */
export type FieldId = { readonly name: string; readonly id: number; readonly children: readonly FieldId[] };
