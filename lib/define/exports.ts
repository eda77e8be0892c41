/**
 * What a table is written to beside itself whenever a run has changed it. Paths are below the folder `exports/<pipeline>/` of
 * the lake. Rows are in the order of `sortBy` and then of all columns, so that equal tables give equal bytes.
 */
export type ExportDefinition = {
  /** One of the pipeline's `schedules`: runs of that branch alone write what is exported, also of a table that others have changed. */
  readonly branch?: string;
  /**
   * All rows as one CSV file (RFC 4180, with a header), in the place of the one before. NULL is nothing, and a text without
   * characters `""`. `safe`: text that a spreadsheet would take for a formula begins with an apostrophe.
   */
  readonly csv?: { readonly to: string; readonly safe?: boolean };
  /** The same as JSON: an object to a line, or one array. Decimals are text, which keeps their digits. Default `'lines'`. */
  readonly json?: { readonly to: string; readonly layout?: 'lines' | 'array' };
  readonly parquet?: { readonly to: string };
  /**
   * A file for each row, which is written once: where the row has other values later, the file stays, and the run says so.
   * - `name`: its path; `{column}` stands for a value, encoded as in a URL. Rows of one name, or with a NULL in it, have no file.
   * - `text`: what is in it; NULL is no text.
   * - `period`: the column that says of which period the file is.
   * `{{` and `}}` stand for single braces.
   */
  readonly files?: { readonly name: string; readonly text: string; readonly period?: string };
};
