import { type BreakerStatus, breakerStatus } from '../../query/breaker-status.ts';
import { resetBreaker } from '../../runtime/reset-breaker.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatCount, formatDuration, formatQuantity } from '../output/human.ts';

export async function status(context: Context, pipeline: string): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const found = await breakerStatus(deps, pipeline);
  await context.answer(found, () => renderStatus(context, found));
  return EXIT.done;
}

/** Lets a halted pipeline run again. */
export async function close(context: Context, pipeline: string): Promise<number> {
  const { deps } = await openLakeAt(context, 'write');
  const was_open = await resetBreaker(deps, pipeline);
  await context.answer({ pipeline, status: 'closed', was_open }, () =>
    was_open
      ? `the circuit breaker of ${pipeline} is closed\n\nnext:\n  ${context.hint(`run ${pipeline}`)}\n`
      : `the circuit breaker of ${pipeline} was not open\n`,
  );
  return EXIT.done;
}

function renderStatus({ hint }: Context, { pipeline, limit, open }: BreakerStatus): string {
  if (open === null) {
    const rule =
      limit === null
        ? 'none is declared: no run is halted for the rows that it rejects'
        : `it opens at more than ${formatQuantity(limit.rows, 'row')} of one code within ${formatDuration(limit.window_ms)}`;
    return `the circuit breaker of ${pipeline} is closed; ${rule}\n`;
  }
  return [
    `the circuit breaker of ${pipeline} is open since ${open.opened_at}: run ${open.run_id} met ${formatCount(open.rows)} rows ` +
      `with ${open.code} within ${formatDuration(open.window_ms)}, and the limit is ${formatCount(open.limit)}`,
    '',
    'next:',
    `  ${hint(`quarantine list ${pipeline} --code ${open.code}`)}`,
    `  ${hint(`breaker close ${pipeline}`)}`,
    '',
  ].join('\n');
}
