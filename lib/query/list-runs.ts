import type { Row } from '../ports.ts';
import { selectRuns } from '../sql/query.ts';
import type { QueryDeps } from './deps.ts';
import { queryRows } from './select.ts';

/** The runs of one pipeline or of all, as the ops tables keep them (OPS_TABLES.runs) with `pipeline` first; newest first. */
export async function listRuns(deps: QueryDeps, pipeline?: string): Promise<readonly Row[]> {
  const known = (await deps.catalog.list()).filter((id) => id.layer === 'ops' && id.name === 'runs');
  const wanted = known.map((id) => id.pipeline).filter((name) => pipeline === undefined || name === pipeline);
  return wanted.length === 0 ? [] : queryRows(deps, selectRuns(wanted.sort()));
}
