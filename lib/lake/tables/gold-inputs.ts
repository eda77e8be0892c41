import { createHash } from 'node:crypto';
import { atGrain } from '../../core/run-date.ts';
import type { GoldModel, PipelineSpec } from '../../core/spec.ts';
import { modelId } from '../../core/spec.ts';
import { currentSnapshot, rowsId, rowsSnapshot, snapshotById } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';

/** Snapshot summary keys that say what a gold table was computed from. */
const INPUTS = 'strata.inputs';
export const MODEL_HASH = 'strata.model-hash';
export const RUN_DATE = 'strata.run-date';

/** What a snapshot says of what its rows were computed from, and for which day where they depend on it. */
export function describeGold(
  { runAt }: Pick<PipelineSpec, 'runAt'>,
  model: GoldModel,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): Readonly<Record<string, string>> {
  return {
    [INPUTS]: describeInputs(model, states),
    [MODEL_HASH]: hashModel(model),
    ...(model.dueBy === undefined || runAt === undefined ? {} : { [RUN_DATE]: runAt.date }),
  };
}

/** The snapshot of every input. */
function describeInputs(model: GoldModel, states: ReadonlyMap<string, TableMetadata | undefined>): string {
  const inputs = model.reads.map((ref) => [modelId(ref), snapshotText(states.get(modelId(ref)))] as const);
  return JSON.stringify(Object.fromEntries(inputs));
}

/** What the snapshot says that a gold table was computed in; files that were rewritten since say nothing about rows. */
export function goldSummary(gold: TableMetadata): Snapshot['summary'] | undefined {
  return rowsSnapshot(gold, currentSnapshot(gold))?.summary;
}

/** Changes when the model's SQL, the values of its variables, columns or layout change. */
export function hashModel(model: GoldModel): string {
  const text = JSON.stringify([
    model.sql,
    model.columns,
    model.partitionBy,
    model.sortBy,
    ...(model.vars ? [model.vars] : []),
  ]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Why a gold model has to be computed, or `undefined` when its table is up to date with its inputs and the run date. */
export function goldReason(
  spec: Pick<PipelineSpec, 'runAt'>,
  model: GoldModel,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): string | undefined {
  const gold = states.get(model.id);
  const summary = gold === undefined ? undefined : goldSummary(gold);
  if (summary === undefined) return 'the table does not exist yet';
  if (summary[MODEL_HASH] !== hashModel(model)) return 'the model has changed';
  const due = gold === undefined ? undefined : dueReason(spec, model, gold);
  if (due !== undefined) return due;
  const changed = gold === undefined ? [] : changedInputs(model, gold, states);
  return changed.length === 0 ? undefined : `${changed.join(', ')} changed${gold && wholeSince(model, gold, states)}`;
}

/** Why a table has other rows on the day of this run, though nothing that it reads has changed. */
export function dueReason(
  { runAt }: Pick<PipelineSpec, 'runAt'>,
  { dueBy }: GoldModel,
  gold: TableMetadata,
): string | undefined {
  if (dueBy === undefined || runAt === undefined) return undefined;
  const last = goldSummary(gold)?.[RUN_DATE];
  if (last !== undefined && atGrain(last, dueBy) === atGrain(runAt.date, dueBy)) return undefined;
  return `due: run date ${runAt.date}, last ${last ?? 'not known'}`;
}

/** Why a model that follows changes cannot follow this one. */
function wholeSince(
  { refresh }: GoldModel,
  gold: TableMetadata,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): string {
  if (refresh.kind !== 'touched') return '';
  const driver = modelId(refresh.driver);
  const [state, before] = [states.get(driver), inputBefore(gold, driver)];
  if (state === undefined || before === undefined || snapshotById(state, before) !== undefined) return '';
  return `; all of it, since the snapshot of ${driver} that it was computed from has expired`;
}

/** The snapshot of an input that the gold table was last computed from, or `undefined` when that is not known. */
export function inputBefore(gold: TableMetadata, id: string): bigint | undefined {
  return inputOf(goldSummary(gold), id) ?? undefined;
}

/** What a snapshot says of an input that it was computed from: its snapshot; null: there was none; `undefined`: nothing. */
export function inputOf(summary: Snapshot['summary'] | undefined, id: string): bigint | null | undefined {
  const inputs = summary?.[INPUTS];
  const before = inputs === undefined ? undefined : (JSON.parse(inputs) as Record<string, string | null>)[id];
  return typeof before === 'string' ? BigInt(before) : before;
}

/** Inputs whose rows are others than before. */
export function changedInputs(
  model: GoldModel,
  gold: TableMetadata,
  states: ReadonlyMap<string, TableMetadata | undefined>,
): readonly string[] {
  const ids = model.reads.map(modelId);
  return ids.filter((id) => rowsBefore(gold, id, states.get(id)) !== snapshotText(states.get(id)));
}

/** Another engine may have rewritten an input before the gold table was computed from it. */
function rowsBefore(gold: TableMetadata, id: string, state: TableMetadata | undefined): string | null {
  const before = inputBefore(gold, id);
  const snapshot = before === undefined || state === undefined ? undefined : snapshotById(state, before);
  return (state && snapshot && rowsId(state, snapshot)) ?? before?.toString() ?? null;
}

function snapshotText(metadata: TableMetadata | undefined): string | null {
  return (metadata && rowsId(metadata, currentSnapshot(metadata))) ?? null;
}
