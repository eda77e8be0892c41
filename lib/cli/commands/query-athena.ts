import { InvalidInput } from '../../core/errors.ts';
import { Interrupted } from '../../core/interrupted.ts';
import { visibleJson } from '../../core/visible.ts';
import { PRICES } from '../../plan/prices.ts';
import { type AthenaUse, athenaDeps, queryAthena } from '../../remote/athena.ts';
import { openMasks } from '../../runtime/remote-masks.ts';
import { type Context, EXIT } from '../context.ts';
import { exitOf } from '../interrupt.ts';
import type { QueryFormat } from '../output/formats.ts';
import { formatBytes, formatUsd } from '../output/human.ts';
import { noteMasked } from '../output/masked.ts';
import { chooseFormat, PRINTERS, printJsonRows } from '../output/rows-by-page.ts';

export type AthenaQueryRequest = {
  readonly sql: string;
  readonly format?: QueryFormat;
  readonly safeCsv?: boolean;
  readonly showPersonal?: boolean;
  readonly asOf?: string;
  readonly workgroup?: string;
  readonly deployment?: string;
};

/**
 * Runs a SELECT on Athena, prints its rows as `query` does, and says what it scanned and cost: on stderr, or in the
 * document of JSON. Ctrl-C stops the query on Athena too.
 */
export async function runAthenaQuery(context: Context, request: AthenaQueryRequest): Promise<number> {
  const { asOf, format, safeCsv, showPersonal = false, ...asked } = request;
  if (asOf !== undefined) {
    throw new InvalidInput(
      "--as-of is for the local lake; with --athena write it into the SQL: FROM <table> FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 12:00:00 UTC'",
    );
  }
  const chosen = chooseFormat(context.options.json, {
    ...(format === undefined ? {} : { format }),
    ...(safeCsv === undefined ? {} : { safeCsv }),
  });
  const deps = { ...athenaDeps(), ...(showPersonal ? {} : { masksOf: openMasks() }) };
  const { answer, reason } = await context.interruptible(async (signal) => {
    const given = await queryAthena(deps, { ...asked, signal });
    return { answer: given, reason: signal.reason as unknown };
  });
  if (answer.kind === 'stopped') {
    context.note(`stopped ${useText(answer.use)}`);
    return reason instanceof Interrupted ? exitOf(reason) : EXIT.failed;
  }
  const result = { columns: answer.columns, rows: null, pages: () => answer.pages() };
  if (chosen === 'json') {
    const fields = visibleJson(JSON.stringify({ ...answer.use, price_region: PRICES.region }, null, 2)).slice(0, -2);
    await printJsonRows(context, result, `${fields},\n  "rows": `, '\n}\n');
    noteMasked(context, answer.masked);
    return EXIT.done;
  }
  await PRINTERS[chosen](context, result);
  noteMasked(context, answer.masked);
  context.note(useText(answer.use));
  return EXIT.done;
}

function useText({ query_execution_id, workgroup, bytes_scanned, cost_usd }: AthenaUse): string {
  return `query ${query_execution_id} in workgroup ${workgroup}: scanned ${formatBytes(bytes_scanned)}, about ${formatUsd(cost_usd)}`;
}
