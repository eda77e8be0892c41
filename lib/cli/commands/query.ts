import { withQuery } from '../../query/select.ts';
import { hidingPersonal } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import type { QueryFormat } from '../output/formats.ts';
import { noteMasked } from '../output/masked.ts';
import { chooseFormat, PRINTERS } from '../output/rows-by-page.ts';

export type QueryRequest = {
  readonly sql: string;
  readonly format?: QueryFormat;
  readonly safeCsv?: boolean;
  readonly asOf?: string;
  readonly showPersonal?: boolean;
};

/** Runs a SELECT and prints its rows, a page at a time. Throws InvalidInput for SQL that cannot run. */
export async function query(context: Context, { sql, asOf, ...how }: QueryRequest): Promise<number> {
  const chosen = chooseFormat(context.options.json, how);
  const { deps } = await openLake(context, 'read');
  await withQuery(hidingPersonal(deps, how), { sql, ...(asOf === undefined ? {} : { asOf }) }, async (result) => {
    await PRINTERS[chosen](context, result);
    noteMasked(context, result.masked);
  });
  return EXIT.done;
}
