import type { Row } from '../ports.ts';
import { selectFailedRuns } from '../sql/failed-runs.ts';
import type { QueryDeps } from './deps.ts';

/**
 * Runs of a pipeline that failed on AWS: what ends them there has no engine that could write to the table of runs, and
 * leaves notes. Columns as OPS_TABLES.runs, with `pipeline` first; of notes of earlier releases some are null.
 */
export async function listFailedRuns(deps: QueryDeps, pipeline: string): Promise<readonly Row[]> {
  const notes: string[] = [];
  for await (const { key } of deps.store.list(`ops/${pipeline}/audit_log/fail/`)) notes.push(key);
  if (notes.length === 0) return [];
  await using borrowed = await deps.store.borrow(notes);
  await using session = await deps.engine.open(deps.settings);
  return await session.rows(selectFailedRuns(pipeline, [...borrowed.paths.values()]));
}
