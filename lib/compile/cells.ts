import { isLosslessNumber } from 'lossless-json';
import type { Cell, GivenRow } from '../core/model-test.ts';
import { oneOf } from '../core/suggest.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { isRecord } from './shape.ts';

/** Which columns rows may name: these, or any. */
export type RowColumns = { readonly names: readonly string[]; readonly others: boolean };

/** Rows of a test; `undefined` when something in them is wrong, which is noted. */
export function readRows(
  value: unknown,
  columns: RowColumns,
  place: string,
  notes: Notes,
): readonly GivenRow[] | undefined {
  if (!Array.isArray(value)) {
    notes.add(place, showValue(value), 'a list of rows, each a map of columns');
    return undefined;
  }
  const before = notes.found.length;
  const rows = value.map((row: unknown, index) => readRow(row, columns, placeIn(place, index), notes));
  return notes.found.length === before ? rows : undefined;
}

function readRow(value: unknown, { names, others }: RowColumns, place: string, notes: Notes): GivenRow {
  const row = new Map<string, Cell>();
  if (!isRecord(value) || isLosslessNumber(value)) {
    notes.add(place, showValue(value), 'a row, such as { id: 1, name: Ann }');
    return row;
  }
  for (const [name, entry] of Object.entries(value)) {
    const at = placeIn(place, name);
    if (!others && !names.includes(name)) notes.add(at, 'an unknown column', oneOf(name, names));
    const cell = readCell(entry);
    if (cell === undefined) notes.add(at, showValue(entry), 'text, a number, true, false, null, a list or a map');
    else row.set(name, cell);
  }
  return row;
}

/** A value as written; `undefined` for what no file and no table can hold, such as a function. */
export function readCell(value: unknown): Cell | undefined {
  if (value === null) return { kind: 'null' };
  if (isLosslessNumber(value)) return scalar(value.value, value.value);
  if (typeof value === 'string') return scalar(value, JSON.stringify(value));
  if (typeof value === 'boolean' || typeof value === 'bigint') return scalar(String(value), String(value));
  if (typeof value === 'number') {
    return scalar(String(value), Number.isFinite(value) ? String(value) : JSON.stringify(String(value)));
  }
  if (Array.isArray(value)) return readList(value);
  if (!isRecord(value) || value instanceof Date) return undefined;
  const fields = Object.entries(value).map(([name, inner]) => [name, readCell(inner)] as const);
  const whole = fields.flatMap(([name, cell]) => (cell === undefined ? [] : [[name, cell] as const]));
  return whole.length === fields.length ? { kind: 'struct', fields: whole } : undefined;
}

function readList(values: readonly unknown[]): Cell | undefined {
  const items = values.map(readCell);
  const whole = items.flatMap((item) => (item === undefined ? [] : [item]));
  return whole.length === items.length ? { kind: 'list', items: whole } : undefined;
}

function scalar(text: string, json: string): Cell {
  return { kind: 'scalar', text, json };
}
