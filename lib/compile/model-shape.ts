import { z } from 'zod';
import { type Expectation, type Layer, type ModelMode, modelId, type PartitionField } from '../core/spec.ts';
import type { ModelDraft } from './draft.ts';
import { readExpectation } from './expectation-shape.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, type FieldsRead, isRecord, readField, readFields } from './shape.ts';

const dedupe = z.union([
  z.strictObject({ by: z.literal('row') }),
  z.strictObject({ by: z.literal('key'), columns: z.array(z.string()).min(1) }),
]);

const mode: z.ZodType<ModelMode> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('append'), dedupe: dedupe.nullable() }),
  z.strictObject({ kind: z.literal('replace') }),
  z.strictObject({ kind: z.literal('full') }),
]);

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
  sql: {
    schema: z
      .string()
      .regex(/^[^/\\].*\.sql$/s)
      .refine((path) => !path.split(/[/\\]/).includes('..')),
    expected: "the path of an .sql file inside the pipeline's folder, such as 'gold/revenue.sql'",
  },
  partitionBy: { schema: z.array(z.unknown()), expected: "a list of transforms, such as [month('order_date')]" },
  sortBy: { schema: z.array(z.string()), expected: 'a list of column names' },
  description: { schema: z.string(), expected: 'text' },
  expect: {
    schema: z.record(z.string(), z.unknown()),
    expected: "expectations by name, such as { positive: 'price > 0' }",
  },
} as const satisfies Record<string, Field>;

const SILVER = {
  ...ANY_MODEL,
  from: { schema: z.string(), expected: 'the name of a source', required: true },
  mode: {
    schema: mode,
    expected: "append(), append({ dedupe: 'row' }), append({ dedupe: { key: ['c'] } }), replace() or full()",
  },
} as const satisfies Record<string, Field>;

const GOLD = { ...ANY_MODEL, sql: { ...ANY_MODEL.sql, required: true } } as const satisfies Record<string, Field>;

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
  const read: FieldsRead<typeof SILVER> | undefined = readFields(fields, value, place, expected, notes);
  if (read === undefined) return undefined;
  // What is wrong beside the SQL leaves the SQL worth checking.
  const sqlSound = !notes.found
    .slice(before)
    .some((problem) => [placeIn(place, 'sql'), placeIn(place, 'from')].includes(problem.place));
  const ref = { layer, name };
  return {
    id: modelId(ref),
    ref,
    place,
    from: layer === 'silver' ? (read.from ?? '') : null,
    sqlFile: read.sql ?? null,
    mode: read.mode ?? (layer === 'silver' ? { kind: 'append', dedupe: null } : { kind: 'full' }),
    partitionBy: readPartition(read, place, notes),
    sortBy: read.sortBy ?? [],
    expect: readExpectations(layer, read.expect, placeIn(place, 'expect'), notes),
    description: read.description ?? null,
    sound: sqlSound,
  };
}

function readPartition(read: FieldsRead<typeof SILVER>, place: string, notes: Notes): ModelDraft['partitionBy'] {
  const at = placeIn(place, 'partitionBy');
  const given = read.partitionBy ?? [];
  if (read.mode?.kind === 'replace' && given.length === 0) {
    notes.add(at, 'nothing', 'partitions for replace() to replace; use full() to replace the whole table');
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
