/**
 * Column types: the names a contract uses, one tagged union everywhere after parsing.
 * Text grammar: `boolean | int | bigint | float | double | decimal(p,s) | date | timestamp | timestamptz | string |
 * binary | list<type> | struct<name: type, ...>`; a struct field name may be double-quoted.
 */
export type PrimitiveKind =
  | 'boolean'
  | 'int'
  | 'bigint'
  | 'float'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'string'
  | 'binary';

export type ColumnType =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly element: ColumnType }
  | { readonly kind: 'struct'; readonly fields: readonly Column[] };

export type Column = { readonly name: string; readonly type: ColumnType; readonly doc?: string };

const PRIMITIVES: readonly string[] = [
  'boolean',
  'int',
  'bigint',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamptz',
  'string',
  'binary',
];

export const TYPE_GRAMMAR = `${PRIMITIVES.join(', ')}, decimal(p,s), list<type> or struct<name: type, ...>`;

/** Parses the text form of a type; `undefined` when the text is not a type. */
export function parseColumnType(text: string): ColumnType | undefined {
  const cursor = { text, at: 0 };
  const type = parseType(cursor);
  skipSpace(cursor);
  return type !== undefined && cursor.at === text.length ? type : undefined;
}

/** The text form of a type; `parseColumnType(renderColumnType(t))` equals `t`. */
export function renderColumnType(type: ColumnType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'list':
      return `list<${renderColumnType(type.element)}>`;
    case 'struct':
      return `struct<${type.fields.map((f) => `"${f.name.replaceAll('"', '""')}": ${renderColumnType(f.type)}`).join(', ')}>`;
    default:
      return type.kind;
  }
}

export function sameType(a: ColumnType, b: ColumnType): boolean {
  return renderColumnType(a) === renderColumnType(b);
}

type Cursor = { readonly text: string; at: number };

function parseType(cursor: Cursor): ColumnType | undefined {
  const word = take(cursor, /[a-z]+/iy)?.toLowerCase();
  if (word === undefined) return undefined;
  if (PRIMITIVES.includes(word)) return { kind: word as PrimitiveKind };
  if (word === 'decimal') return parseDecimal(cursor);
  if (word === 'list') return parseList(cursor);
  if (word === 'struct') return parseStruct(cursor);
  return undefined;
}

function parseDecimal(cursor: Cursor): ColumnType | undefined {
  const text = take(cursor, /\(\s*\d+\s*,\s*\d+\s*\)/y);
  const [precision, scale] = (text?.match(/\d+/g) ?? []).map(Number);
  if (precision === undefined || scale === undefined) return undefined;
  return precision >= 1 && precision <= 38 && scale <= precision ? { kind: 'decimal', precision, scale } : undefined;
}

function parseList(cursor: Cursor): ColumnType | undefined {
  if (take(cursor, /</y) === undefined) return undefined;
  const element = parseType(cursor);
  return element !== undefined && take(cursor, />/y) !== undefined ? { kind: 'list', element } : undefined;
}

function parseStruct(cursor: Cursor): ColumnType | undefined {
  if (take(cursor, /</y) === undefined) return undefined;
  const fields: Column[] = [];
  do {
    const name = take(cursor, /"(?:[^"]|"")+"|[A-Za-z_]\w*/y);
    const type = name !== undefined && take(cursor, /:/y) !== undefined ? parseType(cursor) : undefined;
    if (name === undefined || type === undefined) return undefined;
    fields.push({ name: name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name, type });
  } while (take(cursor, /,/y) !== undefined);
  return take(cursor, />/y) !== undefined ? { kind: 'struct', fields } : undefined;
}

function skipSpace(cursor: Cursor): void {
  while (cursor.text[cursor.at] === ' ') cursor.at += 1;
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  skipSpace(cursor);
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}
