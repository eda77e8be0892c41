import { withQuery } from '../../query/select.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import type { QueryFormat } from '../output/formats.ts';
import { chooseFormat, PRINTERS } from '../output/rows-by-page.ts';

export type QueryRequest = {
  readonly sql: string;
  readonly format?: QueryFormat;
  readonly safeCsv?: boolean;
  readonly asOf?: string;
};

/** Runs a SELECT and prints its rows, a page at a time. Throws InvalidInput for SQL that cannot run. */
export async function query(context: Context, { sql, asOf, ...how }: QueryRequest): Promise<number> {
  const chosen = chooseFormat(context.options.json, how);
  const { deps } = await openLake(context, 'read');
  await withQuery(deps, { sql, ...(asOf === undefined ? {} : { asOf }) }, (result) =>
    PRINTERS[chosen](context, result),
  );
  return EXIT.done;
}
