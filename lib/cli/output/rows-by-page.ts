import { InvalidInput } from '../../core/errors.ts';
import { visibleJson } from '../../core/visible.ts';
import type { Row } from '../../ports.ts';
import type { Context } from '../context.ts';
import { renderCsv, renderCsvRecords, SAFE_CSV } from './csv.ts';
import type { QueryFormat } from './formats.ts';
import { type ResultColumn, renderValue } from './rows.ts';
import { renderTable } from './table.ts';

/** A result that comes a page at a time. */
export type PagedRows = {
  readonly columns: readonly ResultColumn[];
  /** Null where only reading all of them would tell. */
  readonly rows: number | null;
  pages(): AsyncIterable<readonly Row[]>;
};

/** `--safe-csv` is a format of its own, `--json` short for `--format json`. Throws InvalidInput when they contradict each other. */
export function chooseFormat(
  json: boolean,
  { format, safeCsv }: { readonly format?: QueryFormat; readonly safeCsv?: boolean },
): QueryFormat | 'safe-csv' {
  if (safeCsv === true && (json || (format !== undefined && format !== 'csv'))) {
    throw new InvalidInput(
      `--safe-csv and ${json ? '--json' : `--format ${format}`} contradict each other: leave one out`,
    );
  }
  if (json && format !== undefined && format !== 'json') {
    throw new InvalidInput(`--json and --format ${format} contradict each other: leave one out`);
  }
  if (safeCsv === true) return 'safe-csv';
  return json ? 'json' : (format ?? 'table');
}

/** Prints a result as it comes, in one of the formats. */
export const PRINTERS: Readonly<
  Record<QueryFormat | 'safe-csv', (context: Context, result: PagedRows) => Promise<void>>
> = {
  async table(context, result) {
    // Only the first rows are ever shown; the rest is counted.
    const shown: Row[] = [];
    let more = false;
    for await (const page of result.pages()) {
      more = page.length > MOST_SHOWN - shown.length;
      shown.push(...page.slice(0, MOST_SHOWN - shown.length));
      if (more) break;
    }
    await context.print(renderTable(shown, result.columns, { ...context.layout, maxRows: MOST_SHOWN }));
    if (more) {
      const all = result.rows === null ? '' : ` of ${result.rows}`;
      context.note(`the first ${shown.length}${all} rows; --format csv or json prints all`);
    }
  },
  async csv(context, result) {
    await context.printData(renderCsv([], result.columns));
    for await (const page of result.pages()) {
      await context.printData(renderCsvRecords(page, result.columns));
    }
  },
  async 'safe-csv'(context, result) {
    await context.printData(SAFE_CSV.header(result.columns));
    for await (const page of result.pages()) await context.printData(SAFE_CSV.records(page, result.columns));
  },
  async json(context, result) {
    await printJsonRows(context, result, '', '\n');
  },
};

const MOST_SHOWN = 1000;

/** Rows as a JSON array, between what stands before and after it in a document. */
export async function printJsonRows(
  context: Context,
  result: Pick<PagedRows, 'pages'>,
  before: string,
  after: string,
): Promise<void> {
  let separator = `${before}[`;
  for await (const page of result.pages()) {
    if (page.length === 0) continue;
    const rows = page.map((row) => visibleJson(renderValue(row)));
    await context.printData(`${separator}\n${rows.join(',\n')}`);
    separator = ',';
  }
  await context.printData(separator === ',' ? `\n]${after}` : `${separator}]${after}`);
}
