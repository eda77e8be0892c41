import { isKeyed, LOG_SUFFIX } from '../core/keyed.ts';
import type { Gated } from '../core/promote.ts';
import type { GoldModel, ModelSpec, PipelineSpec, SilverModel, TableRef } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import type { ExplainedTable, Explanation } from './explain.ts';
import { isSmall, mergeBytes } from './merge-units.ts';
import { isForOneCall, MOST_UNITS } from './one-call.ts';
import { PLANNED, STAGED, WHOLE } from './run-shape.ts';

/** What a run has to do, as far as it costs something. */
export type RunWork = {
  /** Landed files that are read. */
  readonly files: number;
  /** Tables that are written, the logs of keyed tables among them. */
  readonly tables: number;
  /** Of those tables the ones that exist. */
  readonly existing: number;
  /** Data files of tables that are read: by models, by merges, and by the checks of what they made. */
  readonly reads: number;
  /** Data files that are written beyond one for each unit. */
  readonly writes: number;
  /** One for each level of the pipeline, also those without work. `within`: steps of it that a call of Level does; left out: it plans it. */
  readonly levels: readonly {
    readonly stage: readonly UnitWork[];
    readonly merge: readonly UnitWork[];
    readonly within?: readonly string[];
  }[];
  /** Present: tables are served outside the lake, at most so many bytes of them. */
  readonly served?: UnitWork;
  /** Present: it has to be approved, by conditions that are taken to hold, or by a person. */
  readonly gate?: Gated;
};

/** The units of one table, with the bytes that all of them work on together. */
export type UnitWork = {
  /** parse: text into rows. merge: staged rows and the table's own. model: SQL over tables. */
  readonly kind: 'parse' | 'merge' | 'model';
  readonly units: number;
  readonly bytes: number;
};

export type Rates = {
  /** Bytes that a vCPU works through in a second: plain text to parse; Parquet to merge, or read by a gold model. */
  readonly bytesPerSecond: Readonly<Record<UnitWork['kind'], number>>;
  /** Milliseconds until a function begins with its work, some of them started anew. */
  readonly startMs: number;
  /** Milliseconds of one request to S3 or Glue; those of a step follow each other. */
  readonly requestMs: number;
};

/**
 * Assumptions, all on the careful side of what whole runs of the bench suggest for one vCPU of a server: about 12 MB of
 * CSV a second parsed, checked, deduplicated and written with joins to two tables (a million sales of the retail sample),
 * 30 MB without; 15 MB of keyed Parquet merged; 60 MB of Parquet read for gold. None was measured by itself.
 */
export const ASSUMED_RATES: Rates = {
  bytesPerSecond: { parse: 10_000_000, merge: 10_000_000, model: 40_000_000 },
  startMs: 500,
  requestMs: 30,
};

/** Parquet that a byte of parsed text becomes: 41 MB of retail sales became 12 MB. */
const PARQUET_PART = 0.3;

/** A table that exists. */
export type Size = { readonly bytes: number; readonly files: number };

type Outline = Pick<PipelineSpec, 'name' | 'settings' | 'models' | 'levels' | 'serve' | 'promote'>;

/**
 * The work of a run that has been explained. `sizes`: of the tables that exist, by full name. What is not known
 * before the run is taken at its most: a merge reads the table and its log whole, a gold model all that it reads.
 */
export function workOf(spec: Outline, plan: Explanation, sizes: ReadonlyMap<string, Size>): RunWork {
  const byName = new Map(spec.models.map((model) => [nameOf(spec, model), model]));
  const bytes = new Map([...sizes].map(([name, size]) => [name, size.bytes]));
  const files = new Map([...sizes].map(([name, size]) => [name, size.files]));
  let [reads, writes] = [0, 0];
  const levels = spec.levels.map((_, level) => {
    const tables = plan.levels.find((one) => one.level === level)?.tables ?? [];
    const work = tables.flatMap((table) => {
      const model = byName.get(table.table);
      if (model === undefined) return [];
      if (table.action === 'describe') return [];
      if (table.action === 'check') {
        reads += files.get(table.table) ?? 0;
        return [];
      }
      writes += (filesOfUnit(model, files.get(table.table)) - 1) * table.units;
      reads += filesRead(spec, model, table, files);
      return [tableWork(spec, model, table, bytes)];
    });
    const [stage, merge] = [work.map((one) => one.stage), work.flatMap((one) => one.merge ?? [])];
    return { stage, merge, within: withinLevel(spec, stage, merge) };
  });
  const written = plan.levels.flatMap(({ tables }) =>
    tables.flatMap(({ table, action }) => {
      const model = byName.get(table);
      return model !== undefined && isKeyed(model) && action !== 'check' && action !== 'describe'
        ? [table, `${table}${LOG_SUFFIX}`]
        : [table];
    }),
  );
  const served = servedOf(spec, { files, bytes });
  return {
    files: plan.sources.reduce((sum, source) => sum + source.files, 0),
    tables: written.length,
    existing: written.filter((table) => sizes.has(table)).length,
    reads: reads + (served?.files ?? 0),
    writes,
    levels,
    ...(served && { served: { kind: 'merge', units: 1, bytes: served.bytes } }),
    ...(spec.promote && { gate: spec.promote.auto === null ? 'waited' : 'passed' }),
  };
}

/** All that the tables which are served have after the run: what of it is known there already shows in their snapshots alone. */
function servedOf(
  spec: Outline,
  after: { readonly files: ReadonlyMap<string, number>; readonly bytes: ReadonlyMap<string, number> },
): Size | undefined {
  const tables = spec.serve?.postgres.tables.map(({ from }) => {
    const model = spec.models.find(({ id }) => id === from);
    return model === undefined ? '' : nameOf(spec, model);
  });
  const all = (sizes: ReadonlyMap<string, number>): number =>
    (tables ?? []).reduce((sum, table) => sum + (sizes.get(table) ?? 0), 0);
  return tables && { files: all(after.files), bytes: all(after.bytes) };
}

/** The steps that a call of Level does, as far as it shows before the run. */
function withinLevel({ settings }: Outline, stage: readonly UnitWork[], merge: readonly UnitWork[]): readonly string[] {
  const units = (all: readonly UnitWork[]): number => all.reduce((sum, one) => sum + one.units, 0);
  const parsed = stage.reduce((sum, { kind, bytes }) => sum + (kind === 'parse' ? bytes : 0), 0);
  if (!isForOneCall(units(stage), parsed, settings)) return PLANNED;
  return units(merge) <= MOST_UNITS ? WHOLE : STAGED;
}

type TableWork = { readonly stage: UnitWork; readonly merge?: UnitWork };

/** Adds what the table gains to `sizes`, for the models that read it in this run. */
function tableWork(spec: Outline, model: ModelSpec, table: ExplainedTable, sizes: Map<string, number>): TableWork {
  if (model.layer === 'gold')
    return { stage: { kind: 'model', units: table.units, bytes: bytesRead(spec, model, sizes) } };
  const parsed = table.estimated_bytes ?? 0;
  const staged = parsed * PARQUET_PART;
  const before = sizes.get(table.table) ?? 0;
  const stage: UnitWork = { kind: 'parse', units: table.units, bytes: parsed };
  const merge = mergeWork(spec, model, table, {
    staged,
    before: before + (sizes.get(`${table.table}${LOG_SUFFIX}`) ?? 0),
  });
  sizes.set(table.table, model.mode.kind === 'full' ? staged : before + staged);
  return merge === undefined ? { stage } : { stage, merge };
}

/** A keyed table is always merged; rows that several units staged are, to find repeated ones or to join small files. */
function mergeWork(
  { settings }: Outline,
  model: SilverModel,
  { units }: ExplainedTable,
  { staged, before }: { readonly staged: number; readonly before: number },
): UnitWork | undefined {
  if (isKeyed(model)) {
    const bytes = units === 0 ? 0 : staged + before;
    return units === 0 ? undefined : { kind: 'merge', units: unitsFor(bytes, mergeBytes(settings)), bytes };
  }
  if (units < 2) return undefined;
  if (model.mode.kind === 'append' && model.mode.dedupe !== null) {
    return { kind: 'merge', units: unitsFor(staged, mergeBytes(settings)), bytes: staged };
  }
  return isSmall(staged / units, settings.fileBytes)
    ? { kind: 'merge', units: unitsFor(staged, settings.fileBytes), bytes: staged }
    : undefined;
}

function bytesRead(spec: Outline, { reads }: GoldModel, sizes: ReadonlyMap<string, number>): number {
  return reads.reduce((sum, ref) => sum + (sizes.get(nameOf(spec, ref)) ?? 0), 0);
}

/** Files of a unit that is the first to write into partitions: how many there are shows only in its rows. */
const FIRST_FILES = 8;

/** Of one that writes to a table of so many files. */
function filesOfUnit({ partitionBy }: ModelSpec, before = 0): number {
  return before === 0 && partitionBy.length > 0 ? FIRST_FILES : 1;
}

/** Adds what the units write to `files`, for the models that read the table in this run. */
function filesRead(
  spec: Outline,
  model: ModelSpec,
  { table, units }: ExplainedTable,
  files: Map<string, number>,
): number {
  const own = files.get(table) ?? 0;
  const log = files.get(`${table}${LOG_SUFFIX}`) ?? 0;
  const inputs = model.reads.reduce((sum, ref) => sum + (files.get(nameOf(spec, ref)) ?? 0), 0);
  const made = units * filesOfUnit(model, own);
  const after = model.layer === 'silver' && model.mode.kind !== 'full' ? own + made : made;
  files.set(table, after);
  const checks = model.expect.some((one) => model.layer === 'gold' || one.kind !== 'row') ? inputs + after : 0;
  const merged = isKeyed(model) && units > 0 ? own + log : 0;
  return inputs * (model.layer === 'gold' ? 1 : units) + merged + checks;
}

function unitsFor(bytes: number, share: number): number {
  return Math.max(1, Math.ceil(bytes / share));
}

function nameOf(spec: Pick<PipelineSpec, 'name'>, { pipeline = spec.name, layer, name }: TableRef): string {
  return fullName({ pipeline, layer, name });
}
