import { z } from 'zod';
import { parseDays } from '../core/durations.ts';
import { METADATA_TYPES } from '../core/metadata.ts';
import { type Expectation, type Layer, type MetadataColumn, modelId, type PartitionField } from '../core/spec.ts';
import { MOST_ZORDER } from '../core/zorder.ts';
import type { ModeDefinition } from '../define/modes.ts';
import { formerNames } from './column-shape.ts';
import type { ModelDraft } from './draft.ts';
import { readExpectation } from './expectation-shape.ts';
import { readExports } from './export-shape.ts';
import { readTexts, SQL_FILE, SQL_FILES } from './implementations/shape.ts';
import { defaultMode, readMode } from './mode-shape.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, type FieldsRead, isRecord, readField, readFields, span } from './shape.ts';

const width = z.number().int().min(1).max(2_147_483_647);

const partitionField: z.ZodType<PartitionField> = z.strictObject({
  column: z.string(),
  transform: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(['identity', 'year', 'month', 'day', 'hour']) }),
    z.strictObject({ kind: z.enum(['bucket', 'truncate']), width }),
  ]),
});

const PARTITION_FIELD: Field<PartitionField> = {
  schema: partitionField,
  expected:
    "identity('c'), year('c'), month('c'), day('c'), hour('c'), bucket(n, 'c') or truncate(n, 'c') with n from 1 up",
};

const ANY_MODEL = {
  partitionBy: { schema: z.array(z.unknown()), expected: "a list of transforms, such as [month('order_date')]" },
  sortBy: { schema: z.array(z.string()), expected: 'a list of column names' },
  zorderBy: {
    schema: z
      .array(z.string())
      .min(1)
      .max(MOST_ZORDER)
      .refine((names) => new Set(names).size === names.length),
    expected: `a list of 1 to ${MOST_ZORDER} column names, each once`,
  },
  renamed: {
    schema: z.record(z.string(), formerNames),
    expected: "columns by their names of now, such as { new: 'old' }",
  },
  personal: {
    schema: z.array(z.string()).refine((names) => new Set(names).size === names.length),
    expected: 'a list of column names, each once; [] for none',
  },
  branch: { schema: z.string(), expected: "the name of one of the pipeline's schedules" },
  tags: {
    schema: z.array(z.string().regex(/^[\w.:/-]+$/)).refine((tags) => new Set(tags).size === tags.length),
    expected: "a list of words of letters, digits and . : / - _, each once, such as ['nightly']",
  },
  description: { schema: z.string(), expected: 'text' },
  columns: {
    schema: z.record(z.string(), z.string().trim().min(1)),
    expected: "what columns are, by their names, such as { revenue: 'In euros' }",
  },
  owner: { schema: z.string(), expected: 'text' },
  tier: { schema: z.number().int().positive(), expected: 'a whole number, 1 or more' },
  export: { schema: z.unknown(), expected: "{ csv: { to: 'revenue.csv' } }" },
  expect: {
    schema: z.record(z.string(), z.unknown()),
    expected: "expectations by name, such as { positive: 'price > 0' }",
  },
} as const satisfies Record<string, Field>;

const METADATA_NAMES = Object.keys(METADATA_TYPES) as MetadataColumn[];

const SILVER = {
  ...ANY_MODEL,
  sql: SQL_FILE,
  from: { schema: z.string(), expected: 'the name of a source', required: true },
  mode: { schema: z.unknown(), expected: 'a mode' },
  closeAfter: span(parseDays, "days or years, such as '35d'"),
  backfill: { schema: z.enum(['auto', 'never']), expected: "'auto' or 'never'" },
  metadata: {
    schema: z.array(z.enum(METADATA_NAMES)).refine((names) => new Set(names).size === names.length),
    expected: `a list of ${METADATA_NAMES.join(', ')}, each at most once`,
  },
} as const satisfies Record<string, Field>;

const GOLD = {
  ...ANY_MODEL,
  sql: { ...SQL_FILES, required: true },
  use: { schema: z.string(), expected: "the name of the text of sql that is published, such as 'current'" },
  engine: { schema: z.string(), expected: "'athena' or 'spark', a text of sql" },
  refresh: { schema: z.enum(['touched', 'full']), expected: "'full' or 'touched'" },
  grain: { schema: z.enum(['day', 'month', 'year']), expected: "'day', 'month' or 'year'" },
} as const satisfies Record<string, Field>;

type ModelRead = Omit<FieldsRead<typeof SILVER>, 'sql'> & FieldsRead<typeof GOLD>;

/** One silver table or gold model; `undefined` when it is not an object. */
export function readModel(
  layer: Layer,
  name: string,
  value: unknown,
  place: string,
  notes: Notes,
): ModelDraft | undefined {
  const before = notes.found.length;
  const fields = layer === 'silver' ? SILVER : GOLD;
  const expected = layer === 'silver' ? "{ from: '<source>', ... }" : "{ sql: '<file>.sql', ... }";
  const read: ModelRead | undefined = readFields(fields, value, place, expected, notes);
  if (read === undefined) return undefined;
  const { sqlFile, texts } = readSql(layer, read, place, notes);
  // What is wrong beside the SQL leaves the SQL worth checking.
  const sqlSound = !notes.found
    .slice(before)
    .some(({ place: at }) => ['sql', 'from', 'use', 'engine'].some((key) => at.startsWith(placeIn(place, key))));
  const ref = { layer, name };
  const given = readMode(read.mode, placeIn(place, 'mode'), notes);
  const mode = given ?? defaultMode(layer);
  return {
    id: modelId(ref),
    ref,
    place,
    from: layer === 'silver' ? (read.from ?? '') : null,
    sqlFile,
    texts,
    mode,
    modeSound: read.mode === undefined || given !== undefined,
    metadata: readMetadata(read, mode, place, notes),
    refresh: readRefresh(read, place, notes),
    grain: read.grain,
    partitionBy: readPartition(read, mode, place, notes),
    sortBy: read.sortBy ?? [],
    zorderBy: read.zorderBy ?? [],
    renamed: read.renamed ?? {},
    expect: readExpectations(layer, read.expect, placeIn(place, 'expect'), notes),
    branch: read.branch,
    tags: read.tags ?? [],
    exports: readExports(read.export, placeIn(place, 'export'), notes),
    personal: read.personal,
    backfill: read.backfill ?? 'auto',
    closeAfter: read.closeAfter,
    description: read.description ?? null,
    described: read.columns ?? {},
    owner: read.owner,
    tier: read.tier,
    sound: sqlSound,
  };
}

function readSql(
  layer: Layer,
  { sql, use, engine }: ModelRead,
  place: string,
  notes: Notes,
): Pick<ModelDraft, 'sqlFile' | 'texts'> {
  if (layer === 'gold' && sql !== undefined) return readTexts({ sql, use, engine }, place, notes);
  return { sqlFile: typeof sql === 'string' ? sql : null, texts: undefined };
}

function readMetadata(read: ModelRead, mode: ModeDefinition, place: string, notes: Notes): readonly MetadataColumn[] {
  const names = read.metadata ?? [];
  if (names.length > 0 && mode.kind !== 'append') {
    notes.add(placeIn(place, 'metadata'), `metadata columns in mode ${mode.kind}`, 'append({ ... })');
  }
  const sound = !notes.found.some((problem) => problem.place.startsWith(placeIn(place, 'metadata')));
  if (sound && mode.kind === 'append' && mode.onDuplicate === 'condemn' && !names.includes('row_hash')) {
    const expected = "metadata: ['row_hash'], by which an equal row of a later run is told from a different one";
    notes.add(placeIn(place, 'metadata'), "no row_hash, with onDuplicate 'condemn'", expected);
  }
  return names;
}

function readRefresh(read: ModelRead, place: string, notes: Notes): ModelDraft['refresh'] {
  const refresh = read.refresh ?? 'full';
  if (refresh === 'touched' && (read.partitionBy ?? []).length === 0) {
    notes.add(placeIn(place, 'partitionBy'), 'nothing', "partitions for refresh 'touched' to compute one by one");
    return 'full';
  }
  return refresh;
}

function readPartition(read: ModelRead, mode: ModeDefinition, place: string, notes: Notes): ModelDraft['partitionBy'] {
  const at = placeIn(place, 'partitionBy');
  const given = read.partitionBy ?? [];
  if (mode.kind === 'replace' && given.length === 0) {
    notes.add(at, 'nothing', 'partitions for replace() to replace; use full() to replace the whole table');
  }
  if ((mode.kind === 'upsert' || mode.kind === 'scd2') && given.length > 0) {
    notes.add(at, `partitions of a table with mode ${mode.kind}`, 'none: it is partitioned by buckets of its key');
    return [];
  }
  return given.flatMap((value, index) => {
    const field = readField(PARTITION_FIELD, value, placeIn(at, index), notes);
    return field === undefined ? [] : [{ field, place: placeIn(at, index) }];
  });
}

function readExpectations(layer: Layer, value: unknown, place: string, notes: Notes): readonly Expectation[] {
  return (isRecord(value) ? Object.entries(value) : []).flatMap(([name, expectation]) => {
    const at = placeIn(place, name);
    if (name.trim() === '') notes.add(at, showValue(name), 'a name');
    return readExpectation(layer, name, expectation, at, notes) ?? [];
  });
}
