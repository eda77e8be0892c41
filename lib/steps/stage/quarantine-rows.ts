import { join } from 'node:path';
import type { BatchRecipe } from '../../core/batch-recipe.ts';
import { EngineError } from '../../core/errors.ts';
import { opsTable } from '../../core/ops.ts';
import { fullName } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import { opsTarget } from '../../lake/ops/ops-tables.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { loadQuarantine } from '../../lake/tables/table-state.ts';
import { writeLineShifts } from '../../landing/line-shifts.ts';
import type { Session } from '../../ports.ts';
import { rejectTables } from '../../sql/batch.ts';
import { QUARANTINE } from '../../sql/batch-tables.ts';
import { readingDialect } from '../../sql/csv-dialect.ts';
import {
  countQuarantine,
  createPoisoned,
  createQuarantine,
  createRefused,
  createShifts,
  insertPoisoned,
  listRefusedFiles,
  type QuarantineContext,
} from '../../sql/quarantine.ts';
import { batchOf, type CountedBatch, isPoisoned, numberFiles, type ReadableFile } from './batch-files.ts';
import type { BatchWork } from './batch-work.ts';

export type Quarantined = {
  readonly quarantined: number;
  readonly condemned: number;
  readonly files: readonly Placed[];
};

/**
 * Writes the rows that did not make it as files of the quarantine table. Only now are the files read a second time, for
 * the raw text. `missing`: how many rows there are; `rejected`: some of them stand in `__rejected`. Throws EngineError
 * when the engine does not find exactly the records that went missing, which means that it reads other records than the
 * files have.
 */
export async function quarantineRows(
  { session, context, batch, recipe }: BatchWork,
  { missing, rejected }: { readonly missing: number; readonly rejected: boolean },
  deps: StepDeps,
): Promise<Quarantined> {
  const needed = batch.trial ? batch.files.length > 0 : missing > 0;
  if (!needed) return { quarantined: 0, condemned: 0, files: [] };
  const { plan, unit } = context;
  const { name } = batch.source;
  const table = fullName(context.planned.shape.table);
  if (recipe.poisoned) await fillPoisoned(session, batch);
  await fillQuarantine(
    session,
    batch,
    { ...recipe, rejected },
    { source: name, table, runId: plan.run.run_id, at: plan.created_at },
  );
  const counted = (await session.rows(countQuarantine()))[0];
  const found = Number(counted?.['rows']);
  const condemned = Number(counted?.['condemned']);
  if (found !== missing && !batch.trial) {
    throw new EngineError(
      `${unit.unit}: ${missing} rows of source ${batch.source.name} are unaccounted for, and ${found} rows fail a check`,
    );
  }
  const metadata = await loadQuarantine(deps.store, plan);
  const target = opsTarget(deps, 'quarantine', opsTable(plan.run.pipeline, 'quarantine'), metadata && { metadata });
  const folder = join(batch.scratch, 'quarantine');
  const { fileBytes } = plan.spec.settings;
  const stem = `${plan.run.run_id}-${unit.unit}`;
  const { placed } = await stageFiles(session, { from: QUARANTINE, target, folder, fileBytes, stem }, deps);
  return { quarantined: found - condemned, condemned, files: placed };
}

/** `__quarantine`: every record of the batch that was not accepted. Reads the files again. */
export async function fillQuarantine(
  session: Session,
  batch: CountedBatch,
  recipe: BatchRecipe & { readonly rejected: boolean },
  context: QuarantineContext,
): Promise<void> {
  const read = batchOf(batch.source, batch.files);
  const refused = createRefused(read, rejectTables('quarantine'), recipe, recipe.rejected);
  for (const statement of refused) await session.run(statement);
  const paths = new Set((await session.rows(listRefusedFiles(recipe))).map((row) => String(row['path'])));
  const files = batch.files.filter((file) => paths.has(file.path));
  const shifts = await locateLines(batch, files);
  const regular = files.filter((file) => file.numbering.regular).map((file) => file.path);
  await session.run(createShifts(regular, shifts));
  await session.run(createQuarantine(numberFiles(batch.files, batch.records), recipe, context));
}

/** `__poisoned`: records that are set aside, with their text, unless it is the text that the engine cannot take. */
async function fillPoisoned(session: Session, { source, files }: CountedBatch): Promise<void> {
  await session.run(createPoisoned());
  for (const file of files.filter(isPoisoned)) {
    const { range, poisoned: records = [], ...whole } = file;
    const [group] = batchOf(source, [whole]).groups;
    if (group === undefined) throw new RangeError(`${file.path} is in no group of files`);
    for (const record of records) {
      const put = (text: boolean) => session.run(insertPoisoned(source, group, { path: file.path, ...record }, text));
      await put(true).catch((cause: unknown) => {
        if (cause instanceof EngineError) return put(false);
        throw cause;
      });
    }
  }
}

/** For files in which a record's number is not its line: files that say how to get from one to the other. */
async function locateLines(batch: CountedBatch, files: readonly ReadableFile[]): Promise<readonly string[]> {
  const { format } = batch.source;
  if (format.kind === 'parquet') return [];
  const shifts: string[] = [];
  for (const { path, numbering } of files.filter((file) => !file.numbering.regular)) {
    const target = join(batch.scratch, `shifts-${shifts.length}.csv`);
    await writeLineShifts(path, format.kind === 'csv' ? readingDialect(format) : format, numbering.blankIsRow, target);
    shifts.push(target);
  }
  return shifts;
}
