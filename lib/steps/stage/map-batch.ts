import { dedupeColumns, ROW_HASH } from '../../core/dedupe.ts';
import { AuditFailed } from '../../core/errors.ts';
import { addInputs, type InputBytes, NO_INPUTS } from '../../core/input-bytes.ts';
import { isKeyed } from '../../core/keyed.ts';
import { maskRow } from '../../core/personal.ts';
import { modelId, type SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import { batchOf, type CountedBatch, isPoisoned } from '../../lake/batch/batch-files.ts';
import { PARSING, type Rejections } from '../../lake/batch/fill-quarantine.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { findKnown, KNOWN_ROWS, loadKnown } from '../../lake/files/known-rows.ts';
import { type Output, type UnitWriter, writeKeyedEvents, writeOutput } from '../../lake/files/write-output.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { findModel } from '../../lake/tables/table-state.ts';
import { type BatchFacts, planBatch } from '../../plan/batch-recipe.ts';
import type { Session } from '../../ports.ts';
import {
  countAccepted,
  createBatchSchema,
  createBatchView,
  createHashDuplicates,
  createParsed,
  createRejected,
  dropParsed,
  dropStreamed,
  hasManyShapes,
  isWide,
  listFirstRows,
} from '../../sql/batch.ts';
import { renderStreamed } from '../../sql/carried.ts';
import { createFaults } from '../../sql/faults.ts';
import { findRepeatedKeys, renderKept, renderParsedHashes, selectHashes } from '../../sql/mapped.ts';
import { copyRejections, rejectCondemned } from '../../sql/memory.ts';
import { keepFailed } from '../../sql/quarantine.ts';
import { quotePath } from '../../sql/quote.ts';
import { type RowOrigin, renderAdded, renderNumberedFile, renderStreamedFile } from '../../sql/row-origin.ts';
import { userSql } from '../../sql/user-sql.ts';
import type { BatchWork } from './batch-work.ts';
import { openMemory } from './quarantine-memory.ts';
import { quarantineRows } from './quarantine-rows.ts';
import { createMappedRows, rejectRows } from './reject-rows.ts';

type Mapped = {
  readonly output: Output;
  readonly duplicates: number;
  readonly broken: Readonly<Record<string, number>>;
  readonly rejections: Rejections;
  /** Of the table, for what it has of the batch. */
  readonly inputs: InputBytes;
};

/** Takes a batch through the model, as its recipe says, and what is rejected on the way into quarantine. */
export async function mapBatch(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  batch: CountedBatch,
  deps: StepDeps,
): Promise<UnitResult> {
  await session.run(createBatchSchema());
  // An exchanged row meets the table's rows in the merge, where its bucket is.
  const meets = context.planned.output === 'final' && dedupeColumns(model).length > 0;
  const table = meets ? await loadKnown(context, model, deps) : undefined;
  const files = batchOf(batch.source, batch.files);
  const facts: BatchFacts = {
    known: table !== undefined,
    memory: await openMemory(session, context, batch, deps),
    guarded: batch.guarded,
    manyShapes: hasManyShapes(files),
    wide: isWide(files),
    final: context.planned.output === 'final',
    poisoned: batch.files.some(isPoisoned),
  };
  const planned = planBatch(model, facts);
  const first = { session, context, model, batch, recipe: planned, ...(table && { table }) };
  const streamed = planned.pass === 'stream' ? await mapStreaming(first, deps) : undefined;
  const work = planned.pass === 'stream' && streamed === undefined ? await startOver(first, facts) : first;
  const mapped = streamed ?? (await mapThroughTables(work, deps));
  const read = recordsOf(batch);
  const { output, duplicates, broken, rejections, inputs } = mapped;
  const accepted = output.rows;
  const missing = { missing: read - accepted - duplicates, ...rejections };
  const { quarantined, condemned, files: quarantine } = await quarantineRows(work, missing, deps);
  return {
    ...emptyResult(context.unit.unit, model.id),
    counts: { read, accepted, quarantined, condemned, duplicates },
    broken,
    written: output.written,
    exchanged: output.exchanged,
    quarantine,
    inputs,
  };
}

/** Nothing where rows turn out to lack what a keyed table needs of them, which takes tables to set them aside. */
async function mapStreaming(work: BatchWork, deps: StepDeps): Promise<Mapped | undefined> {
  await parse(work);
  const { model, recipe } = work;
  const file = renderStreamedFile(landedPaths(work.batch).map(({ key }) => key));
  const rows = renderStreamed(userSql(model.sql), recipe);
  const output = isKeyed(model)
    ? await writeKeyedEvents(writerOf(work), model, { from: rows, file }, deps)
    : await writeOutput(writerOf(work), model, renderAdded(rows, recipe, originOf(work, file)), deps);
  return output && { output, duplicates: 0, broken: {}, rejections: NOTHING_REJECTED, inputs: NO_INPUTS };
}

const NOTHING_REJECTED: Rejections = { kept: false, rejected: false };

/** The batch as if it had not streamed past. */
async function startOver(work: BatchWork, facts: BatchFacts): Promise<BatchWork> {
  const { session, batch, model } = work;
  for (const statement of dropStreamed(batch.source)) await session.run(statement);
  return { ...work, recipe: planBatch(model, { ...facts, incomplete: true }) };
}

/** What the rows of a batch are told apart by, under the name that it has in the table. */
const PARSED_HASHES = renderParsedHashes(ROW_HASH);

async function mapThroughTables(work: BatchWork, deps: StepDeps): Promise<Mapped> {
  const { session, model, recipe } = work;
  const accepted = await parseToTable(work, deps);
  const file = await fileOfRow(work);
  if (!recipe.keepsMapped) return writeAsMade(work, accepted, file, deps);
  const raised = await createMappedRows(work);
  await session.run(dropParsed());
  const { mapped, rejected, duplicates, broken, ...held } = await rejectRows(work, raised, deps);
  if (mapped !== accepted.rows) throw await explainMultiplied(session, work, accepted.rows, mapped);
  const kept = renderKept({ rejected: rejected > 0, duplicates: duplicates > 0 });
  const writer = writerOf(work);
  const inputs = addInputs(accepted.inputs, held.inputs);
  // Rows that pass and are rejected all the same are not among those whose text was kept.
  const passing = accepted.passing + rejected - accepted.rejected;
  const rejections = { kept: accepted.kept && passing === 0, rejected: rejected > 0 };
  const outcome = { duplicates: accepted.duplicates + duplicates, broken, rejections, inputs };
  if (isKeyed(model)) {
    const output = await writeKeyedEvents(writer, model, { from: kept, file }, deps);
    if (output === undefined) throw new RangeError(`${model.id}: a row without key or sequence was kept`);
    return { ...outcome, output };
  }
  return {
    ...outcome,
    output: await writeOutput(writer, model, renderAdded(kept, recipe, originOf(work, file)), deps),
  };
}

/** Of rows of which the model makes one each, and the table takes each: as many as were accepted. */
async function writeAsMade(work: BatchWork, accepted: Accepted, file: Sql, deps: StepDeps): Promise<Mapped> {
  const { model, recipe } = work;
  const rows = renderStreamed(userSql(model.sql), recipe);
  const { duplicates, rejected, passing, kept, inputs } = accepted;
  return {
    output: await writeOutput(writerOf(work), model, renderAdded(rows, recipe, originOf(work, file)), deps),
    ...{ duplicates, broken: {}, inputs },
    rejections: { kept: kept && passing === 0, rejected: rejected > 0 },
  };
}

/** The key of a numbered row's file. */
async function fileOfRow({ session, batch }: BatchWork): Promise<Sql> {
  const rows = batch.files.length < 2 ? [{ nth: 0, first: 0 }] : await session.rows(listFirstRows());
  const files = landedPaths(batch);
  return renderNumberedFile(
    rows.map((row) => ({ key: files[Number(row['nth'])]?.key ?? '', first: Number(row['first']) })),
  );
}

async function parse({ session, batch, recipe }: BatchWork): Promise<void> {
  const files = batchOf(batch.source, batch.files);
  if (recipe.notesFaults) await session.run(createFaults(batch.source));
  for (const statement of createParsed(files, PARSING, recipe)) await session.run(statement);
  if (recipe.pass === 'stream') await session.run(createBatchView(batch.source, recipe));
}

type Accepted = {
  readonly rows: number;
  readonly duplicates: number;
  /** Rows that stand in `__rejected` by now, and those of them that pass every check. */
  readonly rejected: number;
  readonly passing: number;
  /** `__failed` has the text of the rows that do not pass. */
  readonly kept: boolean;
  readonly inputs: InputBytes;
};

async function parseToTable(work: BatchWork, deps: StepDeps): Promise<Accepted> {
  let inputs = NO_INPUTS;
  const { session, batch, recipe, table } = work;
  await parse(work);
  await session.run(createRejected());
  if (recipe.equalRows !== null) {
    const { known } = recipe.equalRows;
    if (known && table !== undefined) inputs = await findKnown(session, { ...work, table }, PARSED_HASHES, deps);
    await session.run(createHashDuplicates(known ? selectHashes(KNOWN_ROWS, ROW_HASH) : undefined));
  }
  if (recipe.memory) {
    for (const statement of rejectCondemned(recipe)) await session.run(statement);
    if (batch.rejections !== undefined) await session.run(copyRejections(recipe, batch.rejections.own));
  }
  await session.run(createBatchView(batch.source, recipe));
  const counted = (await session.rows(countAccepted(recipe)))[0];
  const number = (name: string): number => Number(counted?.[name]);
  const [rows, duplicates] = [number('accepted'), number('duplicates')];
  const kept = recipe.hidden.includes('failed') && rows + duplicates < recordsOf(batch);
  if (kept) await session.run(keepFailed(recipe));
  return { rows, duplicates, rejected: number('rejected'), passing: number('passing'), kept, inputs };
}

function writerOf({ session, context, batch }: BatchWork): UnitWriter {
  return { session, context, scratch: batch.scratch };
}

function originOf({ context: { plan } }: BatchWork, file: Sql): RowOrigin {
  return { at: plan.created_at, runId: plan.run.run_id, file };
}

/** Data records of all files. */
function recordsOf({ records }: CountedBatch): number {
  return [...records.values()].reduce((sum, n) => sum + n, 0);
}

function landedPaths(batch: CountedBatch): readonly { readonly path: string; readonly key: string }[] {
  // A trial without files still needs a list that SQL takes.
  if (batch.files.length === 0) return [{ path: '', key: '' }];
  return batch.files.map((file) => ({ path: file.path, key: file.landed.key }));
}

async function explainMultiplied(
  session: Session,
  { model, context }: BatchWork,
  before: number,
  after: number,
): Promise<AuditFailed> {
  for (const join of model.joins) {
    if (join.keys.length === 0) continue;
    const repeated = await session.rows(findRepeatedKeys(quotePath(join.table.layer, join.table.name), join.keys));
    if (repeated.length === 0) continue;
    const { personal = [] } = findModel(context.plan.spec, modelId(join.table));
    const keys = repeated.map((row) => JSON.stringify(maskRow(row, (name) => personal.includes(name)))).join(', ');
    return new AuditFailed(
      `${model.id}: joining ${modelId(join.table)} makes ${after} rows of ${before}, because its key repeats: ${keys}. ` +
        `Nothing is published; make ${join.keys.join(', ')} unique in ${modelId(join.table)}.`,
    );
  }
  return new AuditFailed(
    `${model.id}: its SQL makes ${after} rows of ${before}; a silver model maps rows one to one. Nothing is published.`,
  );
}
