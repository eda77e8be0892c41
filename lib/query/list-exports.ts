import { opsTable } from '../core/ops.ts';
import type { Row } from '../ports.ts';
import { countExports, type ExportFilter, selectExports } from '../sql/export-report.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import type { PipelineDeps } from './find-keyed.ts';
import { queryRows } from './select.ts';

export type ExportList = {
  readonly pipeline: string;
  /** All that match, of which `exports` are the first. */
  readonly total: number;
  /** The latest word on each path, the newest first. */
  readonly exports: readonly Row[];
};

/** What a pipeline has written for readers of files, and what it has not. Throws InvalidInput for an unknown pipeline. */
export async function listExports(
  deps: QueryDeps & PipelineDeps,
  pipeline: string,
  filter: ExportFilter,
  limit: number,
): Promise<ExportList> {
  if ((await loadTable(deps.catalog, opsTable(pipeline, 'exports'))) === undefined) {
    await deps.specs(pipeline);
    return { pipeline, total: 0, exports: [] };
  }
  const [counted] = await queryRows(deps, countExports(pipeline, filter));
  return {
    pipeline,
    total: Number(counted?.['rows']),
    exports: await queryRows(deps, selectExports(pipeline, filter, limit)),
  };
}
