import { InvalidInput } from '../core/errors.ts';
import { OPS_TABLES, opsTable } from '../core/ops.ts';
import type { StepDeps } from '../lake/deps.ts';
import { openTable } from '../lake/tables/table-state.ts';
import type { Row } from '../ports.ts';
import { selectFiles } from '../sql/ops-rows.ts';
import { createSchemas } from '../sql/scan.ts';

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
  const entry = await deps.catalog.load(opsTable(pipeline, 'files'));
  if (entry === undefined) return [];
  const session = await deps.engine.open(deps.settings);
  try {
    for (const statement of createSchemas(['ops'])) await session.run(statement);
    const name = { schema: 'ops', table: 'files' };
    const files = await openTable(deps.store, session, name, entry.metadata, OPS_TABLES.files);
    try {
      return await session.rows(selectFiles(filter));
    } finally {
      await files.release();
    }
  } finally {
    await session.close();
  }
}
