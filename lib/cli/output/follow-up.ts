import type { FollowUp } from '../../remote/follow-up.ts';
import type { Context } from '../context.ts';
import { formatQuantity } from './human.ts';

const DONE = { compact: 'joined', expire: 'forgotten', vacuum: 'removed' } as const;

/** The maintenance that followed a run, in a line; nothing where there was none. */
export function renderFollowUp(maintenance: FollowUp | undefined): string {
  if (maintenance === undefined) return '';
  const [first] = maintenance.why;
  const because =
    first === undefined ? '' : ` (${[first.table, first.why].filter((text) => text !== null).join(': ')})`;
  const what = maintenance.done.map(({ operation, files }) => `${formatQuantity(files, 'file')} ${DONE[operation]}`);
  return `maintenance was due${because}: ${what.join(', ') || 'nothing was done'}\n`;
}

/** What maintenance could not do is told of, and is no failure of the run. */
export function tellNotMaintained({ note }: Pick<Context, 'note'>, maintenance: FollowUp | undefined): void {
  for (const { operation, error } of maintenance?.failed ?? []) {
    note(`the run is done; the ${operation} after it is not, and is tried again some runs later: ${error}`);
  }
}
