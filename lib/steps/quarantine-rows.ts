import { join } from 'node:path';
import { AuditFailed } from '../core/errors.ts';
import { OPS_TABLES, opsTable } from '../core/ops.ts';
import type { Session } from '../ports.ts';
import { rejectTables } from '../sql/batch.ts';
import { countQuarantine, createQuarantine } from '../sql/quarantine.ts';
import { writeTable } from '../sql/write.ts';
import { batchOf, numberFiles } from './batch-files.ts';
import type { StepDeps } from './deps.ts';
import { opsTarget } from './ops-tables.ts';
import { type Placed, placeDataFiles } from './place-files.ts';
import type { UnitContext } from './stage.ts';
import type { CountedBatch } from './stage-silver.ts';
import { fieldIdsOf } from './table-state.ts';

/**
 * Writes the rows that did not make it as files of the quarantine table. Only now are the files read a second time, for
 * the raw text. Throws AuditFailed when it does not find exactly the rows that went missing.
 */
export async function quarantineRows(
  session: Session,
  context: UnitContext,
  batch: CountedBatch,
  missing: { readonly rows: number; readonly withoutDuplicates: boolean; readonly withDrops: boolean },
  deps: StepDeps,
): Promise<readonly Placed[]> {
  if (missing.rows === 0) return [];
  const { plan, unit } = context;
  const statements = createQuarantine(
    batchOf(batch.source, batch.files),
    rejectTables('quarantine'),
    numberFiles(batch.files, batch.records),
    {
      source: batch.source.name,
      runId: plan.run.run_id,
      at: plan.created_at,
      withoutDuplicates: missing.withoutDuplicates,
      withDrops: missing.withDrops,
    },
  );
  for (const statement of statements) await session.run(statement);
  const found = Number((await session.rows(countQuarantine()))[0]?.['rows']);
  if (found !== missing.rows) {
    throw new AuditFailed(
      `${unit.unit}: ${missing.rows} rows of source ${batch.source.name} are unaccounted for, and ${found} rows fail a check; nothing is published`,
    );
  }
  const table = opsTable(plan.run.pipeline, 'quarantine');
  const target = await opsTarget(deps, 'quarantine', table);
  const files = await session.copy(
    writeTable({
      name: 'write quarantine',
      from: '__quarantine',
      columns: OPS_TABLES.quarantine,
      fieldIds: fieldIdsOf(target.schema),
      partitionBy: [],
      sortBy: [],
      folder: join(batch.scratch, 'quarantine'),
      fileBytes: plan.spec.settings.fileBytes,
    }),
  );
  return placeDataFiles(deps, files, { table, ...target, stem: `${plan.run.run_id}-${unit.unit}` });
}
