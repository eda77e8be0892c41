import type { BranchStanding } from '../../query/branches/list-branches.ts';
import { listBranches } from '../../query/branches/list-branches.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderTable } from '../output/table.ts';
import { branchedSpecs } from './branched.ts';

/** Shows of each branch when it runs next, how its last period ended, and what is due. */
export async function list(context: Context, pipeline: string | undefined): Promise<number> {
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const standing = await listBranches(deps, await branchedSpecs(deps, pipelines, pipeline));
  await context.answer(standing, () => renderStanding(standing, context));
  return EXIT.done;
}

const COLUMNS = ['pipeline', 'branch', 'cron', 'zone', 'next', 'last', 'state', 'due'];

function renderStanding(standing: readonly BranchStanding[], { layout, options }: Context): string {
  if (standing.length === 0) return `no pipeline in ${options.pipelines} has schedules\n`;
  const rows = standing.map(({ pipeline, branch, cron, zone, next, last, due, given_up }) => ({
    pipeline,
    branch,
    cron,
    zone,
    next: next === null ? '-' : next.replace(/:00\.000Z$/, 'Z'),
    last: last?.period ?? '-',
    state: last === null ? '-' : `${last.status}${last.attempts > 1 ? ` at attempt ${last.attempts}` : ''}`,
    due: [...due, ...given_up.map((period) => `${period} (given up: --period)`)].join(', ') || '-',
  }));
  return renderTable(
    rows,
    COLUMNS.map((name) => ({ name, whole: true })),
    layout,
  );
}
