import { z } from 'zod';
import type { Expectation, Layer } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import { readCode } from './column-shape.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, isRecord, readFields } from './shape.ts';

const tablePolicy = { schema: z.enum(['warn', 'fail']), expected: "'fail' or 'warn'" } as const;
const rowPolicy = { schema: z.enum(['drop', 'warn', 'fail']), expected: "'fail', 'warn' or 'drop'" } as const;
const sqlText = { schema: z.string().min(1), expected: 'an SQL condition' } as const;
const kind = { schema: z.string(), expected: 'a kind' } as const;
const count = { schema: z.number().int().nonnegative(), expected: 'a whole number, 0 or more' } as const;

const ROW = {
  condition: sqlText,
  sql: sqlText,
  policy: rowPolicy,
  code: { schema: z.string(), expected: "an error code such as 'NEGATIVE_PRICE'" },
} as const satisfies Record<string, Field>;

const UNIQUE = {
  kind,
  columns: { schema: z.array(z.string()).min(1), expected: 'at least one column name', required: true },
  policy: tablePolicy,
} as const satisfies Record<string, Field>;

const ROW_COUNT = { kind, min: count, max: count, policy: tablePolicy } as const satisfies Record<string, Field>;

const QUERY = {
  kind,
  query: { schema: z.string().min(1), expected: "SQL such as 'select * from this where ...'", required: true },
  policy: tablePolicy,
} as const satisfies Record<string, Field>;

const EXPECTATION =
  "an SQL condition, { condition, policy }, unique('column'), rowCount({ min, max }) or query('select ...')";

/** One expectation of a model; `undefined` when a problem was noted. */
export function readExpectation(
  layer: Layer,
  name: string,
  value: unknown,
  place: string,
  notes: Notes,
): Expectation | undefined {
  const before = notes.found.length;
  const expectation = readKind(name, value, place, notes);
  if (expectation?.policy === 'drop' && layer === 'gold') {
    notes.add(
      placeIn(place, 'policy'),
      "'drop' in gold",
      "'fail' or 'warn': a gold row comes from many source rows, so none could be quarantined; filter it in the SQL",
    );
  }
  return notes.found.length === before ? expectation : undefined;
}

function readKind(name: string, value: unknown, place: string, notes: Notes): Expectation | undefined {
  if (typeof value === 'string') return readRow(name, { condition: value }, place, notes);
  const is = isRecord(value) ? value['kind'] : undefined;
  switch (is) {
    case undefined:
      return readRow(name, value, place, notes);
    case 'unique': {
      const read = readFields(UNIQUE, value, place, EXPECTATION, notes);
      return { kind: 'unique', name, policy: read?.policy ?? 'fail', columns: read?.columns ?? [] };
    }
    case 'rowCount':
      return readRowCount(name, value, place, notes);
    case 'query': {
      const read = readFields(QUERY, value, place, EXPECTATION, notes);
      return { kind: 'sql', name, policy: read?.policy ?? 'fail', query: read?.query ?? '' };
    }
    default:
      notes.add(placeIn(place, 'kind'), showValue(is), oneOf(String(is), ['unique', 'rowCount', 'query']));
      return undefined;
  }
}

function readRow(name: string, value: unknown, place: string, notes: Notes): Expectation | undefined {
  const read = readFields(ROW, value, place, EXPECTATION, notes);
  if (read === undefined) return undefined;
  const condition = read.condition ?? read.sql;
  const both = read.condition !== undefined && read.sql !== undefined;
  if (both || condition === undefined) {
    notes.add(placeIn(place, 'condition'), both ? 'both condition and sql' : 'nothing', 'one SQL condition');
    return undefined;
  }
  // Without a code of its own the name is the code, so a name that is none is reported at the name.
  const code = readCode(
    read.code ?? name.toUpperCase(),
    read.code === undefined ? place : placeIn(place, 'code'),
    notes,
  );
  return { kind: 'row', name, policy: read.policy ?? 'fail', condition, code };
}

function readRowCount(name: string, value: unknown, place: string, notes: Notes): Expectation {
  const read = readFields(ROW_COUNT, value, place, EXPECTATION, notes) ?? {};
  const { min = null, max = null } = read;
  if (min === null && max === null)
    notes.add(place, 'neither min nor max', 'rowCount({ min: 1 }), rowCount({ max: 100 }) or both');
  if (min !== null && max !== null && min > max)
    notes.add(placeIn(place, 'min'), String(min), `at most max, which is ${max}`);
  return { kind: 'rowCount', name, policy: read.policy ?? 'fail', min, max };
}
