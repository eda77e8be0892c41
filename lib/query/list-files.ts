import { InvalidInput } from '../core/errors.ts';
import { opsTable } from '../core/ops.ts';
import type { StepDeps } from '../lake/deps.ts';
import { openOps } from '../lake/ops/open-ops.ts';
import type { Row } from '../ports.ts';
import { selectFiles } from '../sql/ops-rows.ts';
import { loadTable } from '../table/read.ts';

export const FILE_STATUSES = ['ingested', 'rejected', 'suspended'] as const;
export type FileStatus = (typeof FILE_STATUSES)[number];

/**
 * Every file that a run of the pipeline has dealt with, with what became of it the latest time, by source and key.
 * Throws InvalidInput for an unknown pipeline or source.
 */
export async function listFiles(
  deps: StepDeps,
  pipeline: string,
  filter: { readonly source?: string; readonly status?: FileStatus },
): Promise<readonly Row[]> {
  const spec = await deps.specs(pipeline);
  if (filter.source !== undefined && !spec.sources.some(({ name }) => name === filter.source)) {
    const known = spec.sources.map(({ name }) => name).join(', ');
    throw new InvalidInput(`no source ${JSON.stringify(filter.source)} in ${pipeline}: expected one of ${known}`);
  }
  return rowsOfFiles(deps, pipeline, filter);
}

/** The same where the pipeline need not be there. */
export async function rowsOfFiles(
  deps: StepDeps,
  pipeline: string,
  filter: { readonly source?: string; readonly status?: FileStatus },
): Promise<readonly Row[]> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'files'));
  if (entry === undefined) return [];
  await using session = await deps.engine.open(deps.settings);
  // What came of a file the latest time may stand anywhere, but it is of its source.
  const of = filter.source === undefined ? [] : [{ column: 'source', op: '=', value: filter.source } as const];
  await using _files = await openOps(deps.store, session, 'files', entry.metadata, of);
  return await session.rows(selectFiles(filter));
}
