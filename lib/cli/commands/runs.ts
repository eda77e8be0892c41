import { InvalidInput } from '../../core/errors.ts';
import type { Row } from '../../ports.ts';
import { chosenTexts } from '../../query/chosen-texts.ts';
import { listAwaiting } from '../../query/gate/awaiting-runs.ts';
import { listRuns } from '../../query/list-runs.ts';
import { showRun } from '../../query/runs/show-run.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { columnsOf, type ResultColumn } from '../output/rows.ts';
import { renderRunDetails } from '../output/run-details.ts';
import { renderTable } from '../output/table.ts';

export async function runs(context: Context, pipeline: string | undefined): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const awaiting = await listAwaiting(deps, pipeline, deps.clock.now());
  const found = [...awaiting, ...(await listRuns(deps, pipeline))];
  // An empty answer to a misspelt name would be no answer.
  if (found.length === 0 && pipeline !== undefined) await deps.specs(pipeline);
  await context.answer(found, () =>
    found.length === 0 ? `no runs in ${context.lake} yet\n` : renderTable(found, shownColumns(found), context.layout),
  );
  return EXIT.done;
}

/** All that the books have of one run. */
export async function showOne(context: Context, runId: string): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const details = await showRun(deps, runId, async (pipeline) => {
    try {
      return await chosenTexts(deps, pipeline);
    } catch (error) {
      // A run outlives its pipeline, and can be shown without it.
      if (error instanceof InvalidInput) return undefined;
      throw error;
    }
  });
  await context.answer(details, () => renderRunDetails(details, context.layout));
  return EXIT.done;
}

/** Without the error column while there is none. */
function shownColumns(rows: readonly Row[]): readonly ResultColumn[] {
  const failed = rows.some((row) => row['error'] !== null);
  return columnsOf(rows)
    .filter((column) => failed || column.name !== 'error')
    .map((column) => ({ ...column, whole: ['pipeline', 'run_id', 'status'].includes(column.name) }));
}
