import type { Column, ColumnType } from './types.ts';

/** Digits before the point that values of a whole type may have. */
const WHOLE_DIGITS: Readonly<Record<string, number>> = { int: 10, bigint: 19 };
const MOST_DIGITS = 38;
const TEXT: ColumnType = { kind: 'string' };

/**
 * The type in which values of two types are compared: the narrowest that holds both as they are; of structs the fields that
 * both have, by name; else their text.
 */
export function commonType(a: ColumnType, b: ColumnType): ColumnType {
  return joinTypes(a, b, commonStruct);
}

/**
 * The type of a column whose values come as two types: as above, but of structs the fields that either has, those of the first before the
 * others. One whose name differs from another's by case alone is left out.
 */
export function widestType(a: ColumnType, b: ColumnType): ColumnType {
  return joinTypes(a, b, widestStruct);
}

type JoinStructs = (a: readonly Column[], b: readonly Column[]) => ColumnType;

function joinTypes(a: ColumnType, b: ColumnType, structs: JoinStructs): ColumnType {
  if (a.kind === 'list' && b.kind === 'list') {
    return { kind: 'list', element: joinTypes(a.element, b.element, structs) };
  }
  if (a.kind === 'struct' && b.kind === 'struct') return structs(a.fields, b.fields);
  if (a.kind === b.kind && a.kind !== 'decimal') return a;
  const [one, other] = [digitsOf(a), digitsOf(b)];
  if (one !== undefined && other !== undefined) return commonNumber(a, b, one, other);
  const kinds: ReadonlySet<string> = new Set([a.kind, b.kind]);
  const numbers = [one !== undefined || isFloating(a), other !== undefined || isFloating(b)];
  if (numbers.every(Boolean)) return { kind: 'double' };
  return kinds.has('date') && kinds.has('timestamp') ? { kind: 'timestamp' } : TEXT;
}

function commonStruct(a: readonly Column[], b: readonly Column[]): ColumnType {
  const fields = a.flatMap(({ name, type }): readonly Column[] => {
    const same = b.find((field) => field.name === name);
    return same === undefined ? [] : [{ name, type: commonType(type, same.type) }];
  });
  return fields.length === 0 ? TEXT : { kind: 'struct', fields };
}

function widestStruct(a: readonly Column[], b: readonly Column[]): ColumnType {
  const both = a.map(({ name, type }) => {
    const same = b.find((field) => field.name === name);
    return { name, type: same === undefined ? type : widestType(type, same.type) };
  });
  const taken = new Set(a.map(({ name }) => name.toLowerCase()));
  return { kind: 'struct', fields: [...both, ...b.filter(({ name }) => !taken.has(name.toLowerCase()))] };
}

type Digits = { readonly before: number; readonly after: number };

function digitsOf(type: ColumnType): Digits | undefined {
  if (type.kind === 'decimal') return { before: type.precision - type.scale, after: type.scale };
  const before = WHOLE_DIGITS[type.kind];
  return before === undefined ? undefined : { before, after: 0 };
}

function isFloating({ kind }: ColumnType): boolean {
  return kind === 'float' || kind === 'double';
}

function commonNumber(a: ColumnType, b: ColumnType, one: Digits, other: Digits): ColumnType {
  if (a.kind !== 'decimal' && b.kind !== 'decimal') return { kind: 'bigint' };
  const scale = Math.max(one.after, other.after);
  const precision = Math.max(one.before, other.before) + scale;
  return precision > MOST_DIGITS ? TEXT : { kind: 'decimal', precision, scale };
}
