import { AuditFailed } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import { type MetadataColumn, modelId, type SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { dedupeColumns, KNOWN_ROWS, openKnown } from '../../lake/files/known-rows.ts';
import { type Output, writeKeyedEvents, writeOutput } from '../../lake/files/write-output.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { dedupesByHash, ROW_HASH } from '../../lake/tables/table-state.ts';
import { condemnsDuplicates } from '../../plan/stage-units.ts';
import type { Session } from '../../ports.ts';
import {
  type Batch,
  countAccepted,
  createBatchSchema,
  createBatchView,
  createHashDuplicates,
  createParsed,
  createParsedByShape,
  dropParsed,
  hasManyShapes,
  type ParsedExtras,
  rejectTables,
} from '../../sql/batch.ts';
import {
  findRepeatedKeys,
  ROW_HASH_VALUE,
  renderEnriched,
  renderKept,
  renderMetadata,
  selectHashes,
} from '../../sql/mapped.ts';
import { createCondemned } from '../../sql/memory.ts';
import { quotePath } from '../../sql/quote.ts';
import { userTerm } from '../../sql/user-sql.ts';
import { batchOf, type CountedBatch } from './batch-files.ts';
import { createMappedRows, dropRows, rowExpectations } from './drop-rows.ts';
import { openMemory } from './quarantine-memory.ts';
import { quarantineRows } from './quarantine-rows.ts';

type Mapped = {
  readonly output: Output;
  readonly duplicates: number;
  readonly broken: Readonly<Record<string, number>>;
  readonly withoutDuplicates: boolean;
  readonly withDrops: boolean;
};

/**
 * Takes a batch through the model. Rows stream from the files to Parquet where one pass is enough; a model that joins,
 * deduplicates or has expectations, and a source that the quarantine remembers, need numbered rows, so the batch becomes
 * a table first.
 */
export async function mapBatch(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  batch: CountedBatch,
  deps: StepDeps,
): Promise<UnitResult> {
  await session.run(createBatchSchema());
  const withMemory = await openMemory(session, context, batch.source, deps);
  const apart = batch.guarded || hasManyShapes(batchOf(batch.source, batch.files));
  const rows = numberedRows(model, withMemory, apart);
  const mapped = rows.needed
    ? await mapThroughTables(session, context, model, batch, rows, deps)
    : await mapStreaming(session, context, model, batch, deps);
  const read = [...batch.records.values()].reduce((sum, n) => sum + n, 0);
  const accepted = mapped.output.rows;
  const { duplicates } = mapped;
  const missing = { ...mapped, withMemory, rows: read - accepted - duplicates };
  const { quarantined, condemned, files } = await quarantineRows(session, context, batch, missing, deps);
  return {
    ...emptyResult(context.unit.unit, model.id),
    counts: { read, accepted, quarantined, condemned, duplicates },
    broken: mapped.broken,
    written: mapped.output.written,
    exchanged: mapped.output.exchanged,
    quarantine: files,
  };
}

/** What has to be known of each row of a batch. */
type NumberedRows = ParsedExtras & {
  readonly needed: boolean;
  readonly memory: boolean;
  /** Rows equal to an earlier one of the batch are left out before anything else. */
  readonly once: boolean;
};

/** `apart`: not in one pass from the files to the table. */
function numberedRows(model: SilverModel, memory: boolean, apart: boolean): NumberedRows {
  const once = dedupesByHash(model) || condemnsDuplicates(model);
  const has = (column: MetadataColumn): boolean => model.metadata.includes(column);
  const expects = rowExpectations(model).length > 0;
  const extras = model.metadata.length > 0 || expects || memory;
  return {
    needed: apart || isKeyed(model) || model.joins.length > 0 || dedupeColumns(model).length > 0 || extras,
    memory,
    once,
    hash: once || memory || has('row_hash'),
    file: isKeyed(model) || has('source_file'),
    key: memory,
  };
}

async function mapStreaming(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  batch: CountedBatch,
  deps: StepDeps,
): Promise<Mapped> {
  const files = batchOf(batch.source, batch.files, batch.guarded);
  const plain = { table: false, hash: false, file: false, key: false };
  await session.run(createParsed(files, rejectTables('parse'), plain));
  await session.run(createBatchView(batch.source, { table: false, without: { duplicates: false, condemned: false } }));
  const output = await writeOutput(session, context, model, userTerm(model.sql), batch.scratch, deps);
  return { output, duplicates: 0, broken: {}, withoutDuplicates: false, withDrops: false };
}

async function mapThroughTables(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  batch: CountedBatch,
  rows: NumberedRows,
  deps: StepDeps,
): Promise<Mapped> {
  // An exchanged row meets the table's rows in the merge, where its bucket is.
  const direct = context.planned.output === 'final' && dedupeColumns(model).length > 0;
  await using known = direct ? await openKnown(session, context, model, deps) : undefined;
  const accepted = await parseToTable(session, model, batch, rows, known !== undefined);
  const raised = await createMappedRows(session, context, model, batch.guarded);
  const dropped = await dropRows(session, model, known !== undefined, raised);
  if (dropped.mapped !== accepted.rows) throw await explainMultiplied(session, model, accepted.rows, dropped.mapped);
  const kept = renderKept({ drops: dropped.quarantined > 0, duplicates: dropped.duplicates > 0 });
  const from = enrich(kept, context, model, batch, rows);
  if (from === kept && !isKeyed(model)) await session.run(dropParsed());
  const output = isKeyed(model)
    ? await writeKeyedEvents(session, context, model, landedPaths(batch), batch.scratch, deps)
    : await writeOutput(session, context, model, from, batch.scratch, deps);
  const duplicates = accepted.duplicates + dropped.duplicates;
  const withDrops = dropped.quarantined > 0;
  return { output, duplicates, broken: dropped.broken, withoutDuplicates: rows.once, withDrops };
}

async function parseToTable(
  session: Session,
  model: SilverModel,
  batch: CountedBatch,
  rows: NumberedRows,
  known: boolean,
): Promise<{ rows: number; duplicates: number }> {
  const files: Batch = batchOf(batch.source, batch.files, batch.guarded);
  const without = { duplicates: rows.once, condemned: rows.memory };
  if (hasManyShapes(files)) {
    for (const statement of createParsedByShape(files, rejectTables('parse'), rows)) await session.run(statement);
  } else {
    await session.run(createParsed(files, rejectTables('parse'), { ...rows, table: true }));
  }
  const inTable = known && dedupesByHash(model) ? selectHashes(KNOWN_ROWS, ROW_HASH) : undefined;
  if (rows.once) await session.run(createHashDuplicates(inTable));
  if (rows.memory) for (const statement of createCondemned(rows.once)) await session.run(statement);
  await session.run(createBatchView(batch.source, { table: true, without }));
  const counted = (await session.rows(countAccepted(without)))[0];
  return { rows: Number(counted?.['accepted']), duplicates: Number(counted?.['duplicates']) };
}

/** Adds the columns that come from the source row and from the run rather than from the model's SQL. */
function enrich(kept: Sql, { plan }: UnitContext, model: SilverModel, batch: CountedBatch, rows: NumberedRows): Sql {
  const values = renderMetadata({ at: plan.created_at, id: plan.run.run_id, attempts: rows.memory });
  const metadata = model.metadata.map((name) => ({ name, value: values[name] }));
  const hash = dedupesByHash(model) ? [{ name: ROW_HASH, value: ROW_HASH_VALUE }] : [];
  const columns = [...metadata, ...hash];
  if (columns.length === 0) return kept;
  const files = model.metadata.includes('source_file') ? landedPaths(batch) : [];
  return renderEnriched(kept, columns, { attempts: rows.memory, files });
}

function landedPaths(batch: CountedBatch): readonly { readonly path: string; readonly key: string }[] {
  // A trial without files still needs a list that SQL takes.
  if (batch.files.length === 0) return [{ path: '', key: '' }];
  return batch.files.map((file) => ({ path: file.path, key: file.landed.key }));
}

async function explainMultiplied(
  session: Session,
  model: SilverModel,
  before: number,
  after: number,
): Promise<AuditFailed> {
  for (const join of model.joins) {
    if (join.keys.length === 0) continue;
    const repeated = await session.rows(findRepeatedKeys(quotePath(join.table.layer, join.table.name), join.keys));
    if (repeated.length === 0) continue;
    const keys = repeated.map((row) => JSON.stringify(row)).join(', ');
    return new AuditFailed(
      `${model.id}: joining ${modelId(join.table)} makes ${after} rows of ${before}, because its key repeats: ${keys}. ` +
        `Nothing is published; make ${join.keys.join(', ')} unique in ${modelId(join.table)}.`,
    );
  }
  return new AuditFailed(
    `${model.id}: its SQL makes ${after} rows of ${before}; a silver model maps rows one to one. Nothing is published.`,
  );
}
