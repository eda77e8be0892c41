import { join } from 'node:path';
import type { BatchRecipe } from '../../core/batch-recipe.ts';
import { EngineError } from '../../core/errors.ts';
import { writeLineShifts } from '../../landing/line-shifts.ts';
import type { Session } from '../../ports.ts';
import { type Batch, countRejects, hasRejects, rejectTables } from '../../sql/batch.ts';
import { readingDialect } from '../../sql/csv-dialect.ts';
import { listFaults } from '../../sql/faults.ts';
import {
  createFailed,
  createMalformed,
  createPoisoned,
  createQuarantine,
  createShifts,
  insertPoisoned,
  listRefusedFiles,
  type QuarantineContext,
} from '../../sql/quarantine.ts';
import { batchOf, type CountedBatch, isPoisoned, numberFiles, type ReadableFile } from './batch-files.ts';

/** Where the text of rejected rows is. `kept`: of all in `__failed`, since the batch was parsed. `rejected`: some stand in `__rejected`. */
export type Rejections = { readonly kept: boolean; readonly rejected: boolean };

/** What a batch was parsed from, and what its scans refused. */
export const PARSING = rejectTables('parse');

/**
 * `__quarantine`: every record of the batch that was not accepted. Reads the files again, unless what it needs is
 * `kept`. `missing`: how many there are.
 */
export async function fillQuarantine(
  session: Session,
  batch: CountedBatch,
  recipe: BatchRecipe & Rejections & { readonly missing: number },
  context: QuarantineContext,
): Promise<void> {
  const read = batchOf(batch.source, batch.files);
  const rejects = recipe.kept ? PARSING : rejectTables('quarantine');
  if (!recipe.kept) {
    const { rejected } = recipe;
    const faults = recipe.notesFaults ? await faultsOf(session, read, recipe.missing) : undefined;
    await session.run(createFailed(read, rejects, recipe, { rejected, faults }));
  }
  await session.run(createMalformed(read, rejects));
  const paths = new Set((await session.rows(listRefusedFiles(recipe))).map((row) => String(row['path'])));
  const files = batch.files.filter((file) => paths.has(file.path));
  const shifts = await locateLines(batch, files);
  const regular = files.filter((file) => file.numbering.regular).map((file) => file.path);
  await session.run(createShifts(regular, shifts));
  await session.run(createQuarantine(numberFiles(batch.files, batch.records), recipe, context));
}

/**
 * The columns that have a value that fails; nothing where other rows were noted than those that fail, as of a statement that
 * was run twice.
 */
async function faultsOf(session: Session, read: Batch, missing: number): Promise<ReadonlySet<number> | undefined> {
  const faults = new Map((await session.rows(listFaults())).map((row) => [Number(row['place']), Number(row['rows'])]));
  const refused = hasRejects(read) ? await session.rows(countRejects(PARSING)) : [];
  const malformed = refused.reduce((sum, row) => sum + Number(row['records']), 0);
  if ((faults.get(read.source.columns.length) ?? 0) + malformed !== missing) return undefined;
  return new Set(faults.keys());
}

/** `__poisoned`: records that are set aside, with their text, unless it is the text that the engine cannot take. */
export async function fillPoisoned(session: Session, { source, files }: CountedBatch): Promise<void> {
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
