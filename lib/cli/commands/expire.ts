import type { ExpireAnswer, SweepAnswer } from '../../core/maintenance.ts';
import { type ExpireRequest, expireTables } from '../../runtime/maintain.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatBytes, formatQuantity } from '../output/human.ts';
import { renderTable } from '../output/table.ts';

export type ExpiryOptions = {
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly keep?: number;
  readonly forceRetention?: boolean;
  readonly dryRun?: boolean;
  readonly runId?: string;
};

export type ExpiryArguments = ExpiryOptions & {
  /** A pipeline, or a table by full name. */
  readonly target: string;
};

/** Forgets old snapshots. Ends with 2 when a table was left as it is. */
export async function expire(context: Context, asked: ExpiryArguments): Promise<number> {
  const request = requestOf(asked);
  const { deps } = await openLake(context, request.dryRun === true ? 'read' : 'write');
  const answer = await context.interruptible((interrupted) => expireTables(deps, { ...request, interrupted }));
  return tellExpired(context, answer);
}

/** Answers the exit code. */
export async function tellExpired(context: Context, answer: ExpireAnswer): Promise<number> {
  await context.answer(answer, () => renderExpired(answer, context));
  noteFailed(answer, context);
  return answer.failed.length === 0 ? EXIT.done : EXIT.failed;
}

export function requestOf({ olderThan, ...asked }: ExpiryArguments): ExpireRequest {
  return { ...asked, ...(olderThan === undefined ? {} : { olderThanMs: olderThan }) };
}

export function noteFailed({ failed }: Pick<SweepAnswer<unknown>, 'failed'>, { note }: Pick<Context, 'note'>): void {
  for (const { table, error } of failed) note(`${table} was left as it is: ${error}`);
}

function renderExpired(answer: ExpireAnswer, { layout }: Context): string {
  const touched = answer.tables.filter(({ snapshots }) => snapshots > 0);
  if (touched.length === 0) return `nothing to expire in ${formatQuantity(answer.tables.length, 'table')}\n`;
  const rows = touched.map(({ data_bytes, ...table }) => ({ ...table, bytes: formatBytes(data_bytes) }));
  const columns = ['table', 'snapshots', 'snapshots_left', 'readable_since', 'data_files', 'bytes', 'metadata_files'];
  const shown = columns.map((name) => ({ name, ...(name === 'table' ? { whole: true } : {}) }));
  const forgotten = formatQuantity(total(touched.map(({ snapshots }) => snapshots)), 'snapshot');
  const last = answer.dry_run
    ? `would forget ${forgotten}`
    : `forgot ${forgotten}; what was removed is written down in ${answer.record}/`;
  return `${renderTable(rows, shown, layout)}${last}\n`;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
