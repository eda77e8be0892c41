import { AuditFailed } from '../core/errors.ts';
import { isKeyed } from '../core/keyed.ts';
import { NO_ROWS } from '../core/run.ts';
import { type Expectation, modelId, type SilverModel } from '../core/spec.ts';
import type { Session } from '../ports.ts';
import {
  type Batch,
  countAccepted,
  createBatchSchema,
  createBatchView,
  createHashDuplicates,
  createParsed,
  dropParsed,
  rejectTables,
} from '../sql/batch.ts';
import {
  countBroken,
  countDropped,
  createDrops,
  createKeyDuplicates,
  createMapped,
  findRepeatedKeys,
  renderHashed,
  renderKept,
  selectHashes,
} from '../sql/mapped.ts';
import { quotePath } from '../sql/quote.ts';
import { batchOf } from './batch-files.ts';
import type { StepDeps } from './deps.ts';
import { dedupeColumns, KNOWN_ROWS, openKnown } from './known-rows.ts';
import { quarantineRows } from './quarantine-rows.ts';
import type { UnitContext } from './stage.ts';
import type { CountedBatch } from './stage-silver.ts';
import { dedupesByHash, ROW_HASH } from './table-state.ts';
import { emptyResult, type UnitResult } from './unit-result.ts';
import { type Output, writeKeyedEvents, writeOutput } from './write-output.ts';

type RowExpectation = Extract<Expectation, { kind: 'row' }>;

type Mapped = {
  readonly output: Output;
  readonly duplicates: number;
  readonly broken: Readonly<Record<string, number>>;
  readonly withoutDuplicates: boolean;
  readonly withDrops: boolean;
};

/**
 * Takes a batch through the model. Rows stream from the files to Parquet where one pass is enough; a model that joins,
 * deduplicates or has expectations needs numbered rows, so its batch becomes a table first.
 */
export async function mapBatch(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  batch: CountedBatch,
  deps: StepDeps,
): Promise<UnitResult> {
  await session.run(createBatchSchema());
  const mapped = needsNumbers(model)
    ? await mapThroughTables(session, context, model, batch, deps)
    : await mapStreaming(session, context, model, batch, deps);
  const read = [...batch.records.values()].reduce((sum, n) => sum + n, 0);
  const accepted = mapped.output.rows;
  const quarantined = read - accepted - mapped.duplicates;
  const quarantine = await quarantineRows(session, context, batch, { ...mapped, rows: quarantined }, deps);
  return {
    ...emptyResult(context.unit.unit, model.id),
    counts: { ...NO_ROWS, read, accepted, quarantined, duplicates: mapped.duplicates },
    broken: mapped.broken,
    written: mapped.output.written,
    exchanged: mapped.output.exchanged,
    quarantine,
  };
}

function needsNumbers(model: SilverModel): boolean {
  return (
    isKeyed(model) || model.joins.length > 0 || dedupeColumns(model).length > 0 || rowExpectations(model).length > 0
  );
}

function rowExpectations(model: SilverModel): readonly RowExpectation[] {
  return model.expect.filter((e) => e.kind === 'row');
}

async function mapStreaming(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  batch: CountedBatch,
  deps: StepDeps,
): Promise<Mapped> {
  const files = batchOf(batch.source, batch.files);
  await session.run(createParsed(files, rejectTables('parse'), { table: false, hash: false, file: false }));
  await session.run(createBatchView(batch.source, { table: false, withoutDuplicates: false }));
  const output = await writeOutput(session, context, model, `(${model.sql})`, batch.scratch, deps);
  return { output, duplicates: 0, broken: {}, withoutDuplicates: false, withDrops: false };
}

async function mapThroughTables(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  batch: CountedBatch,
  deps: StepDeps,
): Promise<Mapped> {
  const byHash = dedupesByHash(model);
  // An exchanged row meets the table's rows in the merge, where its bucket is.
  const direct = context.planned.output === 'final' && dedupeColumns(model).length > 0;
  const known = direct ? await openKnown(session, context, model, deps) : undefined;
  try {
    const accepted = await parseToTable(session, model, batch, known !== undefined);
    await session.run(createMapped(model.sql));
    const dropped = await dropRows(session, model, known !== undefined);
    if (dropped.mapped !== accepted.rows) throw await explainMultiplied(session, model, accepted.rows, dropped.mapped);
    const kept = renderKept({ drops: dropped.quarantined > 0, duplicates: dropped.duplicates > 0 });
    const from = byHash ? renderHashed(kept, ROW_HASH) : kept;
    if (!byHash && !isKeyed(model)) await session.run(dropParsed());
    const output = isKeyed(model)
      ? await writeKeyedEvents(session, context, model, landedPaths(batch), batch.scratch, deps)
      : await writeOutput(session, context, model, from, batch.scratch, deps);
    const duplicates = accepted.duplicates + dropped.duplicates;
    return { output, duplicates, broken: dropped.broken, withoutDuplicates: byHash, withDrops: true };
  } finally {
    await known?.release();
  }
}

async function parseToTable(
  session: Session,
  model: SilverModel,
  batch: CountedBatch,
  known: boolean,
): Promise<{ rows: number; duplicates: number }> {
  const byHash = dedupesByHash(model);
  const files: Batch = batchOf(batch.source, batch.files);
  await session.run(createParsed(files, rejectTables('parse'), { table: true, hash: byHash, file: isKeyed(model) }));
  if (byHash) await session.run(createHashDuplicates(known ? selectHashes(KNOWN_ROWS, ROW_HASH) : undefined));
  await session.run(createBatchView(batch.source, { table: true, withoutDuplicates: byHash }));
  const counted = (await session.rows(countAccepted(byHash)))[0];
  return { rows: Number(counted?.['accepted']), duplicates: Number(counted?.['duplicates']) };
}

function landedPaths(batch: CountedBatch): readonly { readonly path: string; readonly key: string }[] {
  return batch.files.map((file) => ({ path: file.path, key: file.landed.key }));
}

type Dropped = {
  readonly mapped: number;
  readonly quarantined: number;
  readonly duplicates: number;
  readonly broken: Readonly<Record<string, number>>;
};

async function dropRows(session: Session, model: SilverModel, known: boolean): Promise<Dropped> {
  const expectations = rowExpectations(model);
  const broken: Record<string, number> = {};
  if (expectations.length > 0) {
    const counted = (await session.rows(countBroken(expectations)))[0] ?? {};
    for (const { name } of expectations) broken[name] = Number(counted[name]);
  }
  const key = keyOf(model);
  await session.run(
    createDrops(
      expectations.filter((e) => e.policy === 'drop'),
      isKeyed(model) ? { key: model.mode.key, sequence: [model.mode.sequence] } : { key, sequence: [] },
    ),
  );
  if (key.length > 0) await session.run(createKeyDuplicates(key, known ? KNOWN_ROWS : undefined));
  const counted = (await session.rows(countDropped(key.length > 0)))[0];
  return {
    mapped: Number(counted?.['mapped']),
    quarantined: Number(counted?.['quarantined']),
    duplicates: Number(counted?.['duplicates']),
    broken,
  };
}

function keyOf(model: SilverModel): readonly string[] {
  return dedupesByHash(model) ? [] : dedupeColumns(model);
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
