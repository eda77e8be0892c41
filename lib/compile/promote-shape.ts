import { z } from 'zod';
import { parseSpan } from '../core/durations.ts';
import {
  DEFAULT_EXPIRES_MS,
  DEFAULT_TOLERANCE,
  LONGEST_EXPIRES_MS,
  type PromoteSpec,
  SHORTEST_EXPIRES_MS,
  type TableCondition,
} from '../core/promote.ts';
import { oneOf } from '../core/suggest.ts';
import type { Column } from '../core/types.ts';
import { isNumeric } from '../sql/diff/totals.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, isRecord, readFields, span } from './shape.ts';

export const PROMOTE_EXPECTED = "{ gate: 'manual', maxQuarantineRate: 5 }";

const AUTO_EXPECTED = "{ auto: [{ table: 'gold.revenue', keys: ['day'], measures: ['amount'] }] }";
const percent = z.number().min(0).max(100);
const names = z.array(z.string().min(1)).min(1);

const PROMOTE = {
  gate: {
    schema: z.union([z.literal('manual'), z.record(z.string(), z.unknown())]),
    expected: `'manual' or ${AUTO_EXPECTED}`,
    required: true,
  },
  maxQuarantineRate: { schema: percent, expected: 'a percentage of the records read, from 0 to 100' },
  forbid: { schema: names, expected: "a list of error codes, such as ['DUPLICATE_FAILURE']" },
  expires: span(expiresOf, "a span from 1 hour to 14 days, such as '36h' or '7d'"),
} as const satisfies Record<string, Field>;

const AUTO = {
  auto: { schema: z.array(z.unknown()), expected: 'a list of conditions, which may be empty', required: true },
} as const satisfies Record<string, Field>;

const CONDITION = {
  table: { schema: z.string(), expected: "a table of the pipeline, such as 'gold.revenue'", required: true },
  keys: { schema: names, expected: "a list of columns, such as ['day']" },
  measures: { schema: names, expected: "a list of columns, such as ['amount']" },
  tolerance: { schema: z.number().min(0), expected: 'a percentage, 0 or more' },
} as const satisfies Record<string, Field>;

function expiresOf(text: string): number | undefined {
  const ms = parseSpan(text) ?? 0;
  return ms >= SHORTEST_EXPIRES_MS && ms <= LONGEST_EXPIRES_MS ? ms : undefined;
}

/** What a pipeline says of who lets its runs through. */
export function readPromote(value: unknown, notes: Notes): PromoteSpec | undefined {
  if (value === undefined) return undefined;
  const read = readFields(PROMOTE, value, 'promote', PROMOTE_EXPECTED, notes);
  if (read?.gate === undefined) return undefined;
  return {
    auto: read.gate === 'manual' ? null : readAuto(read.gate, notes),
    maxQuarantineRate: read.maxQuarantineRate ?? null,
    forbid: read.forbid ?? [],
    expiresMs: read.expires ?? DEFAULT_EXPIRES_MS,
  };
}

function readAuto(value: unknown, notes: Notes): readonly TableCondition[] {
  const read = readFields(AUTO, value, 'promote.gate', AUTO_EXPECTED, notes);
  return (read?.auto ?? []).flatMap((one, at) => readCondition(one, placeIn('promote.gate.auto', at), notes) ?? []);
}

function readCondition(value: unknown, place: string, notes: Notes): TableCondition | undefined {
  const read = readFields(CONDITION, value, place, "{ table: 'gold.revenue', keys: ['day'] }", notes);
  const { table, keys = [], measures = [], tolerance = DEFAULT_TOLERANCE } = read ?? {};
  if (isRecord(value) && value['keys'] === undefined && value['measures'] === undefined)
    notes.add(place, 'neither keys nor measures', 'one of them, or both');
  if (isRecord(value) && value['tolerance'] !== undefined && value['measures'] === undefined)
    notes.add(placeIn(place, 'tolerance'), 'a tolerance of no measure', 'measures beside it, or no tolerance');
  return table === undefined ? undefined : { table, keys, measures, tolerance };
}

/** Notes conditions of tables and columns that there are not, and measures that have no sum. */
export function checkPromote(
  promote: PromoteSpec | undefined,
  models: readonly string[],
  columnsOf: (id: string) => readonly Column[],
  notes: Notes,
): void {
  for (const [at, { table, keys, measures }] of (promote?.auto ?? []).entries()) {
    const place = placeIn('promote.gate.auto', at);
    if (!models.includes(table)) notes.add(placeIn(place, 'table'), showValue(table), oneOf(table, models));
    // Of a model that has problems of its own nothing is known.
    const columns = columnsOf(table);
    if (columns.length === 0) continue;
    const known = columns.map(({ name }) => name);
    for (const key of keys) {
      if (!known.includes(key)) notes.add(placeIn(place, 'keys'), showValue(key), oneOf(key, known));
    }
    const numbers = columns.filter(({ type }) => isNumeric(type)).map(({ name }) => name);
    for (const measure of measures) {
      if (!numbers.includes(measure))
        notes.add(placeIn(place, 'measures'), showValue(measure), `a column of numbers, ${oneOf(measure, numbers)}`);
    }
  }
}
