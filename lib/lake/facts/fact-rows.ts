import type { BookRow, ModelFacts, RunFacts } from '../../core/facts.ts';
import { type InputBytes, NO_INPUTS } from '../../core/input-bytes.ts';
import type { Span } from '../../core/requests.ts';
import type { RowCounts } from '../../core/row-counts.ts';
import type { RunPlan, TableOutcome } from '../../core/run.ts';
import { type ModelSpec, modelId } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { costOfModel, type Rate } from '../../plan/model-cost.ts';
import type { LevelAudit, TableAudit } from '../run/run-records.ts';
import { findModel, tableIdOf } from '../tables/table-state.ts';

/** What a model did in a run, however that ended. */
export type ModelWork = {
  readonly level: number;
  readonly model: string;
  readonly counts: RowCounts;
  readonly facts: ModelFacts;
  readonly inputs: InputBytes;
  /** Tables that it was to publish. */
  readonly tables: readonly TableAudit[];
  /** Where its units do not say when they worked. */
  readonly within: Span;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'UNDONE';
  readonly error: string | null;
};

/** By full name: the tables as the run has left them. Of a run that failed: none. */
type Published = Readonly<Record<string, TableOutcome>>;

/** What is kept of a run that has published. Audits that an earlier release made say nothing of their models. */
export function factsOfRun(plan: RunPlan, audits: readonly LevelAudit[], published: Published, rate: Rate): RunFacts {
  return factRows(
    plan,
    audits.flatMap((audit) => auditedWork(plan, audit)),
    { published, rate },
  );
}

/** The models of a level that its audit has passed. */
export function auditedWork(
  plan: Pick<RunPlan, 'created_at'>,
  { level, models, span }: LevelAudit,
): readonly ModelWork[] {
  return models.flatMap(({ model, counts, facts, tables, inputs = NO_INPUTS }) => {
    const idle = facts === undefined || (facts.units === 0 && tables.every(({ prepared }) => !prepared));
    const within = span ?? { from: plan.created_at, to: plan.created_at };
    return idle
      ? []
      : [{ level, model, counts, facts, inputs, tables, within, status: 'SUCCEEDED' as const, error: null }];
  });
}

export function noFacts(run_id: string): RunFacts {
  return { run_id, runs: [], model_runs: [], lineage: [], quality: [] };
}

type Ended = { readonly published: Published | undefined; readonly rate: Rate };

/** `published` is undefined for a run that failed. */
export function factRows(plan: RunPlan, work: readonly ModelWork[], ended: Ended): RunFacts {
  const { run_id } = plan.run;
  return {
    ...noFacts(run_id),
    model_runs: work.map((one) => modelRunRow(run_id, one, ended.rate)),
    lineage: work.flatMap((one) => lineageRows(plan, work, one, ended.published)),
    quality: ended.published === undefined ? [] : work.flatMap((one) => qualityRows(plan, one)),
  };
}

function spanOf({ facts, within }: ModelWork): Span {
  const spans = [facts.staging.span, facts.merging.span].flatMap((span) => span ?? []);
  const from = spans.map((span) => span.from).sort()[0] ?? within.from;
  return {
    from,
    to:
      spans
        .map((span) => span.to)
        .sort()
        .at(-1) ?? within.to,
  };
}

function modelRunRow(run_id: string, work: ModelWork, rate: Rate): BookRow {
  const { level, model, counts, facts, inputs, tables, status, error } = work;
  const { staging, merging, source } = facts;
  const { from, to } = spanOf(work);
  const [own] = tables.filter(({ id }) => id === model);
  return {
    run_id,
    model,
    level,
    started_at: from,
    finished_at: to,
    duration_ms: staging.ms + merging.ms,
    units: facts.units + facts.merge_units,
    rows_in: model.startsWith('silver.') ? counts.read : null,
    rows_out: own?.rows_added ?? null,
    bytes_read: (source?.bytes ?? 0) + inputs.brought,
    bytes_written: tables.length === 0 ? null : tables.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    peak_memory_bytes: most(staging.peak_bytes, merging.peak_bytes),
    spilled_bytes: most(staging.spilled_bytes, merging.spilled_bytes),
    cost_usd: costOfModel(facts, rate),
    status,
    error,
  };
}

/** Null where neither was measured. */
function most(...bytes: readonly (number | undefined)[]): number | null {
  const known = bytes.flatMap((one) => one ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

function lineageRows(
  plan: RunPlan,
  all: readonly ModelWork[],
  work: ModelWork,
  published: Published | undefined,
): readonly BookRow[] {
  const model = findModel(plan.spec, work.model);
  const row = { run_id: plan.run.run_id, model: work.model, at: spanOf(work).to };
  const reads = [...sourceRead(plan, model, work), ...tableReads(plan, model, all, published)];
  const writes = published === undefined ? [] : tableWrites(work.tables, published);
  return [
    ...reads.map((one) => ({ ...row, action: 'read', ...one })),
    ...writes.map((one) => ({ ...row, action: 'write', ...one })),
  ];
}

function sourceRead({ run }: RunPlan, model: ModelSpec, { facts, counts }: ModelWork): readonly BookRow[] {
  if (facts.source === null || model.layer !== 'silver') return [];
  return [{ table_or_source: `${run.pipeline}.${model.from}`, ...facts.source, rows: counts.read }];
}

/** As they were when the run was planned, or as it has left them itself, which of one that failed is no version. */
function tableReads(
  plan: RunPlan,
  model: ModelSpec,
  all: readonly ModelWork[],
  published: Published | undefined,
): readonly BookRow[] {
  const own = all.find((one) => one.model === model.id);
  const worked = own !== undefined && own.facts.units > 0;
  return model.reads.map((ref) => {
    const id = modelId(ref);
    const table = fullName(tableIdOf(plan.spec, ref));
    const before = plan.tables[id]?.snapshot_id ?? null;
    const made = all.some(({ tables }) => tables.some((one) => one.id === id && one.prepared));
    const version = made ? (published?.[table]?.snapshot_id ?? null) : before;
    const bytes = worked ? (own.facts.reads?.[id] ?? null) : null;
    return { table_or_source: table, version, files: null, rows: null, bytes };
  });
}

function tableWrites(tables: readonly TableAudit[], published: Published): readonly BookRow[] {
  return tables.flatMap(({ table, prepared, rows_added, files_added, bytes }) => {
    const name = fullName(table);
    if (!prepared) return [];
    const version = published[name]?.snapshot_id ?? null;
    return [{ table_or_source: name, version, files: files_added, rows: rows_added, bytes: bytes ?? null }];
  });
}

function qualityRows(plan: RunPlan, { model, facts }: ModelWork): readonly BookRow[] {
  const table = fullName(tableIdOf(plan.spec, findModel(plan.spec, model)));
  return facts.columns.map(({ distinct, unique, ...column }) => ({
    run_id: plan.run.run_id,
    table,
    ...column,
    distinct_estimate: distinct,
    unique_key_ok: unique,
  }));
}
