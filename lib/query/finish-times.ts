import { OPS_TABLES, opsTable } from '../core/ops.ts';
import { openTable } from '../lake/tables/table-state.ts';
import type { Session } from '../ports.ts';
import { RUN_BOOKS, selectFinishTimes } from '../sql/query.ts';
import { createSchemas } from '../sql/scan.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';

/** By run id: what the clock said when a run of the pipeline ended, in ms since the epoch, by its table of runs. */
export async function readFinishTimes(
  deps: QueryDeps,
  session: Session,
  pipeline: string,
): Promise<ReadonlyMap<string, number>> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'runs'));
  for (const statement of createSchemas([RUN_BOOKS])) await session.run(statement);
  const name = { schema: RUN_BOOKS, table: pipeline };
  await using _runs = await openTable(deps.store, session, name, entry?.metadata, OPS_TABLES.runs);
  const rows = await session.rows(selectFinishTimes(pipeline));
  return new Map(rows.map((row) => [String(row['run_id']), Number(row['finished'])]));
}
