import { z } from 'zod';
import { parseDays, parseSpan } from '../core/durations.ts';
import { LOG_SUFFIX } from '../core/keyed.ts';
import { isTimezone } from '../core/run-date.ts';
import { isSchedule, SCHEDULE_EXPECTED } from '../core/schedule/aws-expression.ts';
import { type Breaker, DEFAULT_RECONCILE_MS, type Discover, type Layer, type PipelineSettings } from '../core/spec.ts';
import { unitBytesFor } from '../core/worker-memory.ts';
import { ALERTS_EXPECTED, readAlerts } from './alerts-shape.ts';
import { readCompute } from './compute-shape.ts';
import type { ModelDraft, PipelineDraft, SourceDraft } from './draft.ts';
import { MAINTENANCE_EXPECTED, readMaintenance } from './maintenance-shape.ts';
import { readModel } from './model-shape.ts';
import { checkDistinct, checkName, LONGEST_PIPELINE_NAME, LONGEST_TABLE_NAME } from './names.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { OPENLINEAGE_EXPECTED, readOpenLineage } from './openlineage-shape.ts';
import { PROMOTE_EXPECTED, readPromote } from './promote-shape.ts';
import { readSchedules, SCHEDULES_EXPECTED } from './schedules-shape.ts';
import { withSeedTables } from './seeds.ts';
import { readServe, SERVE_EXPECTED } from './serve-shape.ts';
import { type Field, isRecord, readFields, span } from './shape.ts';
import { readSlo, SLO_EXPECTED } from './slo-shape.ts';
import { readSource } from './source-shape.ts';
import { readVars } from './vars.ts';

/** Units are no larger, whatever memory there is: what is lost with a worker is done again, and a full one leaves memory free. */
const LARGEST_UNIT_BYTES = 256 * 2 ** 20;

/** Condemned rows are kept for seven years. */
const DEFAULT_SETTINGS: Omit<PipelineSettings, 'unitBytes'> = {
  fileBytes: 128 * 2 ** 20,
  condemnedRetentionDays: 2557,
};

const DEFAULT_BREAKER: Breaker = { rows: 100, windowMs: 3_600_000 };

const text = { schema: z.string().min(1), expected: 'text' } as const;
const bytes = { schema: z.number().int().positive(), expected: 'a whole number of bytes, 1 or more' } as const;
const byName = z.record(z.string(), z.unknown());

const SOME_SOURCE = 'at least one source by name, such as { orders: csv({ ... }) }';

const PIPELINE = {
  name: { schema: z.string(), expected: "the name of the pipeline's folder", required: true },
  owner: text,
  tier: { schema: z.number().int().positive(), expected: 'a whole number, 1 or more' },
  description: text,
  schedule: { schema: z.string().refine(isSchedule), expected: SCHEDULE_EXPECTED },
  schedules: { schema: byName, expected: SCHEDULES_EXPECTED },
  timezone: {
    schema: z.string().refine(isTimezone),
    expected: "a time zone by its IANA name, such as 'Europe/Berlin'",
  },
  after: {
    schema: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    expected: "the name of a pipeline, or a list of names, such as 'retail'",
  },
  onChange: { schema: z.enum(['stop', 'backfill', 'forward']), expected: "'stop', 'backfill' or 'forward'" },
  settings: { schema: byName, expected: '{ unitBytes, fileBytes, hourlyRate }' },
  compute: { schema: z.unknown(), expected: '{ memory, timeout, tmp, maxConcurrency, steps }' },
  slo: { schema: z.unknown(), expected: SLO_EXPECTED },
  breaker: { schema: byName, expected: "{ rows: 100, window: '1h' }" },
  promote: { schema: z.unknown(), expected: PROMOTE_EXPECTED },
  alerts: { schema: z.unknown(), expected: ALERTS_EXPECTED },
  serve: { schema: z.unknown(), expected: SERVE_EXPECTED },
  openlineage: { schema: z.unknown(), expected: OPENLINEAGE_EXPECTED },
  retention: { schema: byName, expected: "{ condemned: '7y' }" },
  discover: { schema: byName, expected: "{ reconcile: '24h' }" },
  maintenance: { schema: z.union([z.literal(false), byName]), expected: MAINTENANCE_EXPECTED },
  vars: {
    schema: byName,
    expected: "variables by name, such as { min_amount: { type: 'decimal(10,2)', default: '10.00' } }",
  },
  sources: { schema: byName, expected: SOME_SOURCE },
  silver: { schema: byName, expected: "tables by name, such as { orders: { from: 'orders' } }" },
  gold: { schema: byName, expected: "models by name, such as { revenue: { sql: 'gold/revenue.sql' } }" },
} as const satisfies Record<string, Field>;

const SETTINGS = {
  unitBytes: bytes,
  fileBytes: bytes,
  hourlyRate: { schema: z.number().nonnegative(), expected: 'US dollars of an hour, 0 or more' },
} as const satisfies Record<string, Field>;

const BREAKER = {
  rows: { schema: z.number().int().positive(), expected: 'a whole number of rows, 1 or more' },
  window: span(parseSpan, "a span such as '30m', '1h' or '1d'"),
} as const satisfies Record<string, Field>;

const DISCOVER = {
  reconcile: span(upToADay, "a span from '1m' to '24h'"),
} as const satisfies Record<string, Field>;

const RETENTION = {
  condemned: span(parseDays, "days or years, such as '90d' or '7y'"),
  facts: span(parseDays, "days or years, such as '400d' or '2y'"),
} as const satisfies Record<string, Field>;

/**
 * Reads what a pipeline file exports. Everything that can be told from the value alone is noted; the draft holds what
 * is left. `undefined` when there is nothing to go on.
 */
export function readPipeline(definition: unknown, folder: string, notes: Notes): PipelineDraft | undefined {
  const read = readFields(PIPELINE, definition, 'default export', 'definePipeline({ ... })', onPlainPlaces(notes));
  if (read === undefined) return undefined;
  const name = read.name ?? folder;
  if (read.name !== undefined && checkName(name, LONGEST_PIPELINE_NAME, 'name', notes) && name !== folder) {
    notes.add('name', showValue(name), `${showValue(folder)}, the name of the pipeline's folder`);
  }
  const settings = readFields(SETTINGS, read.settings ?? {}, 'settings', '', notes);
  const { condemned, facts } = readFields(RETENTION, read.retention ?? {}, 'retention', '', notes) ?? {};
  const retention = {
    ...(condemned === undefined ? {} : { condemnedRetentionDays: condemned }),
    ...(facts === undefined ? {} : { factsRetentionDays: facts }),
  };
  const compute = readCompute(read.compute, notes);
  const sources = readSources(read.sources, notes);
  // Gold alone may be made from tables of other pipelines.
  const declared = { sources: namesOf(read.sources), gold: namesOf(read.gold) };
  if (declared.sources.length + declared.gold.length === 0) notes.add('sources', 'nothing', SOME_SOURCE);
  const silver = withSeedTables(read.silver, sources, notes);
  const unitBytes = Math.min(LARGEST_UNIT_BYTES, unitBytesFor(compute.steps.Stage.memoryMb));
  return {
    name,
    owner: read.owner ?? null,
    tier: read.tier ?? null,
    description: read.description ?? null,
    schedule: read.schedule ?? null,
    schedules: readSchedules(read.schedules, read.timezone ?? 'UTC', notes),
    timezone: read.timezone,
    after: [...new Set(typeof read.after === 'string' ? [read.after] : read.after)],
    onChange: read.onChange ?? 'stop',
    settings: { ...DEFAULT_SETTINGS, unitBytes, ...settings, ...retention },
    compute,
    slo: readSlo(read.slo, notes),
    breaker: read.breaker === undefined ? null : readBreaker(read.breaker, notes),
    promote: readPromote(read.promote, notes),
    alerts: readAlerts(read.alerts, notes),
    serve: readServe(read.serve, notes),
    openlineage: readOpenLineage(read.openlineage, notes),
    discover: readDiscover(read.discover, notes),
    maintenance: readMaintenance(read.maintenance, notes),
    vars: readVars(read.vars, notes),
    sources,
    models: [...readModels('silver', silver, notes), ...readModels('gold', read.gold, notes)],
    declared: { ...declared, silver: namesOf(silver), branches: namesOf(read.schedules) },
  };
}

function readBreaker(value: unknown, notes: Notes): Breaker {
  const { rows, window } = readFields(BREAKER, value, 'breaker', '', notes) ?? {};
  return { rows: rows ?? DEFAULT_BREAKER.rows, windowMs: window ?? DEFAULT_BREAKER.windowMs };
}

/** Undefined: by the defaults. */
function readDiscover(value: unknown, notes: Notes): Discover | undefined {
  const { reconcile } = readFields(DISCOVER, value ?? {}, 'discover', '', notes) ?? {};
  return reconcile === undefined ? undefined : { reconcileMs: reconcile };
}

function upToADay(text: string): number | undefined {
  const span = parseSpan(text);
  return span !== undefined && span >= 60_000 && span <= DEFAULT_RECONCILE_MS ? span : undefined;
}

/** Top-level places read `silver.x`, not `default export.silver.x`. */
function onPlainPlaces(notes: Notes): Notes {
  return { ...notes, add: (place, got, expected) => notes.add(place.replace(/^default export\./, ''), got, expected) };
}

function readSources(value: unknown, notes: Notes): readonly SourceDraft[] {
  return namedEntries(value, 'sources', notes).flatMap(
    ([name, source, place]) => readSource(name, source, place, notes) ?? [],
  );
}

function readModels(layer: Layer, value: unknown, notes: Notes): readonly ModelDraft[] {
  return namedEntries(value, layer, notes).flatMap(
    ([name, model, place]) => readModel(layer, name, model, place, notes) ?? [],
  );
}

function namesOf(value: unknown): readonly string[] {
  return isRecord(value) ? Object.keys(value) : [];
}

/** Entries with their places; one whose name differs from an earlier one's only by case is noted and left out. */
function namedEntries(value: unknown, place: string, notes: Notes): readonly (readonly [string, unknown, string])[] {
  const entries = isRecord(value) ? Object.entries(value) : [];
  const distinct = checkDistinct(namesOf(value), place, notes);
  return entries.flatMap(([name, entry]) => {
    const at = placeIn(place, name);
    checkName(name, LONGEST_TABLE_NAME, at, notes);
    // It would stand where the log of a keyed table stands.
    return distinct.has(name) && !name.toLowerCase().endsWith(LOG_SUFFIX) ? [[name, entry, at] as const] : [];
  });
}
