import { InvalidInput } from '../../core/errors.ts';
import { traceRows } from '../../query/trace.ts';
import { hidingPersonal, type PersonalOption } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderTrace } from '../output/trace.ts';

export type TraceArguments = PersonalOption & {
  readonly table: string;
  readonly where: string;
  readonly limit?: string;
};

const USUAL_LIMIT = 10;
const MOST = 1000;

/** Shows rows of a silver table with the lines that brought them. */
export async function trace(context: Context, { table, where, limit, ...personal }: TraceArguments): Promise<number> {
  const request = { table, where, limit: parseLimit(limit) };
  const { deps } = await openLakeAt(context, 'read');
  const traced = await traceRows(hidingPersonal(deps, personal), request);
  await context.answer(traced, () => renderTrace(traced, context.layout));
  return EXIT.done;
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return USUAL_LIMIT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new InvalidInput(`--limit: got ${JSON.stringify(text)}; expected a number of rows from 1 to ${MOST}`);
}
