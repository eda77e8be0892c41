import { InvalidInput } from '../../core/errors.ts';
import type { Row } from '../../ports.ts';
import { type QueryResult, withQuery } from '../../query/select.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderCsv, renderCsvRecords } from '../output/csv.ts';
import { renderTable } from '../output/table.ts';
import type { QueryFormat } from '../program.ts';

export type QueryRequest = { readonly sql: string; readonly format?: QueryFormat; readonly asOf?: string };

/** Runs a SELECT and prints its rows, a page at a time. Throws InvalidInput for SQL that cannot run. */
export async function query(context: Context, { sql, format, asOf }: QueryRequest): Promise<number> {
  const chosen = chooseFormat(context.options.json, format);
  const { deps } = await openLake(context, 'read');
  await withQuery(deps, { sql, ...(asOf === undefined ? {} : { asOf }) }, (result) =>
    PRINTERS[chosen](context, result),
  );
  return EXIT.done;
}

/** `--json` is short for `--format json`. Throws InvalidInput when they contradict each other. */
export function chooseFormat(json: boolean, format: QueryFormat | undefined): QueryFormat {
  if (json && format !== undefined && format !== 'json') {
    throw new InvalidInput(`--json and --format ${format} contradict each other: leave one out`);
  }
  return json ? 'json' : (format ?? 'table');
}

/** Prints a result as it comes, in one of the formats. */
export const PRINTERS: Readonly<Record<QueryFormat, (context: Context, result: QueryResult) => Promise<void>>> = {
  async table(context, result) {
    // Only the first rows are ever shown; the rest is counted.
    const shown: Row[] = [];
    for await (const page of result.pages()) {
      shown.push(...page.slice(0, MOST_SHOWN - shown.length));
      if (shown.length >= MOST_SHOWN) break;
    }
    await context.print(renderTable(shown, result.columns, { ...context.layout, maxRows: MOST_SHOWN }));
    if (result.rows > shown.length) {
      context.note(`the first ${shown.length} of ${result.rows} rows; --format csv or json prints all`);
    }
  },
  async csv(context, result) {
    await context.print(renderCsv([], result.columns));
    for await (const page of result.pages()) {
      await context.print(renderCsvRecords(page, result.columns));
    }
  },
  async json(context, result) {
    let separator = '[';
    for await (const page of result.pages()) {
      const rows = page.map((row) => JSON.stringify(row));
      await context.print(`${separator}\n${rows.join(',\n')}`);
      separator = ',';
    }
    await context.print(separator === '[' ? '[]\n' : '\n]\n');
  },
};

const MOST_SHOWN = 1000;
