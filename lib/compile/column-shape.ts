import { z } from 'zod';
import type { ColumnCheck, ContractColumn, ParseFormat } from '../core/spec.ts';
import { didYouMean } from '../core/suggest.ts';
import { type ColumnType, parseColumnType, renderColumnType, TYPE_GRAMMAR } from '../core/types.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, type FieldsRead, readFields } from './shape.ts';

const limit = z.union([z.number(), z.bigint(), z.string().min(1)]);

/** The code of a value that is not allowed, where the contract gives it no other. */
const DOMAIN_ERROR = 'DOMAIN_ERROR';

const allowed = z.array(z.union([z.string(), z.number(), z.bigint(), z.boolean()])).min(1);
const regex = z.string().min(1);

/** Names that a column had before. */
export const formerNames = z
  .union([
    z
      .string()
      .min(1)
      .transform((name) => [name]),
    z.array(z.string().min(1)).min(1),
  ])
  .refine((names) => new Set(names).size === names.length);

const COLUMN_FIELDS = {
  type: { schema: z.string(), expected: TYPE_GRAMMAR, required: true },
  required: { schema: z.boolean(), expected: 'true or false' },
  as: { schema: z.string().min(1), expected: 'a column name' },
  renamedFrom: { schema: formerNames, expected: 'the name that it had before, or a list of them, each once' },
  default: {
    schema: z.union([z.string(), z.number(), z.bigint(), z.boolean()]),
    expected: 'a text, number or boolean; text for decimals, dates and times',
  },
  parse: {
    schema: z.union([z.string(), z.array(z.string()).min(1)]),
    expected: "'numeric', 'epoch_seconds', 'epoch_millis', a strptime format or a list of them",
  },
  min: { schema: limit, expected: 'a number, or text for decimals, dates and times' },
  max: { schema: limit, expected: 'a number, or text for decimals, dates and times' },
  in: {
    schema: z.union([
      allowed.transform((values) => ({ values, code: DOMAIN_ERROR })),
      z.strictObject({ values: allowed, code: z.string() }),
    ]),
    expected: "a list of at least one text, number or boolean, or { values: [...], code: 'CURRENCY' }",
  },
  pattern: {
    schema: z.union([
      regex.transform((text) => ({ regex: text, code: DOMAIN_ERROR })),
      z.strictObject({ regex, code: z.string() }),
    ]),
    expected: "a regular expression as text, such as '[A-Z]{3}', or { regex: '[A-Z]{3}', code: 'CURRENCY' }",
  },
  personal: { schema: z.boolean(), expected: 'true or false' },
  description: { schema: z.string().trim().min(1), expected: 'text' },
  checks: {
    schema: z.record(z.string(), z.string().min(1)),
    expected: "SQL conditions by name, such as { adult: 'age >= 18' }",
  },
} as const satisfies Record<string, Field>;

type ColumnRead = FieldsRead<typeof COLUMN_FIELDS>;

const DATES_AND_TIMES: readonly string[] = ['date', 'timestamp', 'timestamptz'];
const NUMBERS: readonly string[] = ['int', 'bigint', 'float', 'double', 'decimal'];
const WORDS: readonly string[] = ['numeric', 'epoch_seconds', 'epoch_millis'];

/** Names that other systems use, with what Strata calls them. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  integer: 'int',
  int32: 'int',
  smallint: 'int',
  long: 'bigint',
  int64: 'bigint',
  varchar: 'string',
  text: 'string',
  str: 'string',
  bool: 'boolean',
  datetime: 'timestamp',
  real: 'float',
  number: 'double',
  numeric: 'decimal(18,3)',
  decimal: 'decimal(18,3)',
  bytes: 'binary',
  blob: 'binary',
  array: 'list<string>',
};

export type ColumnDraft = { readonly column: ContractColumn; readonly sqlChecks: ReadonlyMap<ColumnCheck, string> };

/** One column of a contract; `undefined` when a problem was noted that leaves it without a meaning. */
export function readColumn(source: string, value: unknown, place: string, notes: Notes): ColumnDraft | undefined {
  const expected = `a type such as 'string', or { type: 'string', required: true, ... }`;
  const read = readFields(COLUMN_FIELDS, typeof value === 'string' ? { type: value } : value, place, expected, notes);
  if (read?.type === undefined) return undefined;
  const type = parseColumnType(read.type);
  if (type === undefined) {
    noteType(read.type, typeof value === 'string' ? place : placeIn(place, 'type'), notes);
    return undefined;
  }
  noteMisfits(type, read, place, notes);
  const { checks, sqlChecks } = readChecks(read, place, notes);
  const column: ContractColumn = {
    source,
    name: read.as ?? source,
    type,
    parse: readParse(read.parse, type, placeIn(place, 'parse'), notes),
    required: read.required ?? false,
    checks,
    ...(read.renamedFrom === undefined ? {} : { renamedFrom: read.renamedFrom }),
    ...(read.default === undefined ? {} : { default: String(read.default) }),
    ...(read.personal === true ? { personal: true } : {}),
    ...(read.description === undefined ? {} : { description: read.description }),
  };
  return { column, sqlChecks };
}

function noteType(text: string, place: string, notes: Notes): void {
  if (/^decimal\s*\(/i.test(text)) {
    notes.add(
      place,
      `the type ${showValue(text)}`,
      'decimal(p,s) with p digits in all, 1 to 38, of them s after the point',
    );
    return;
  }
  const other = OTHER_NAMES[text.trim().toLowerCase()];
  const names = ['boolean', 'int', 'bigint', 'float', 'double', 'date', 'timestamp', 'timestamptz', 'string', 'binary'];
  const hint = other === undefined ? didYouMean(text, names) : `; did you mean ${showValue(other)}?`;
  notes.add(place, `the type ${showValue(text)}`, TYPE_GRAMMAR + hint);
}

/** Rules that the column's type gives no meaning. */
function noteMisfits(type: ColumnType, read: ColumnRead, place: string, notes: Notes): void {
  const ordered = NUMBERS.includes(type.kind) || DATES_AND_TIMES.includes(type.kind);
  const misfit = (rule: keyof ColumnRead, expected: string): void => {
    if (read[rule] !== undefined)
      notes.add(placeIn(place, rule), `${rule} on a column of type ${renderColumnType(type)}`, expected);
  };
  if (!ordered) misfit('min', 'a column of numbers, dates or times; use checks for others');
  if (!ordered) misfit('max', 'a column of numbers, dates or times; use checks for others');
  if (type.kind !== 'string') misfit('pattern', 'a column of type string');
  if (['list', 'struct', 'binary'].includes(type.kind))
    for (const rule of ['in', 'default'] as const) misfit(rule, 'a column of text, numbers, dates, times or booleans');
}

function readChecks(
  read: ColumnRead,
  place: string,
  notes: Notes,
): { checks: ColumnCheck[]; sqlChecks: Map<ColumnCheck, string> } {
  const checks: ColumnCheck[] = [];
  if (read.min !== undefined) checks.push({ kind: 'min', value: String(read.min), code: 'RANGE_ERROR' });
  if (read.max !== undefined) checks.push({ kind: 'max', value: String(read.max), code: 'RANGE_ERROR' });
  const codeOf = (rule: 'in' | 'pattern', code: string): string =>
    readCode(code, placeIn(placeIn(place, rule), 'code'), notes);
  if (read.in !== undefined) {
    const { values, code } = read.in;
    checks.push({ kind: 'in', values: values.map(String), code: codeOf('in', code) });
  }
  if (read.pattern !== undefined) {
    checks.push({ kind: 'pattern', regex: read.pattern.regex, code: codeOf('pattern', read.pattern.code) });
  }
  const sqlChecks = new Map<ColumnCheck, string>();
  for (const [name, condition] of Object.entries(read.checks ?? {})) {
    const at = placeIn(placeIn(place, 'checks'), name);
    const check: ColumnCheck = { kind: 'sql', condition, code: readCode(name.toUpperCase(), at, notes) };
    checks.push(check);
    sqlChecks.set(check, at);
  }
  return { checks, sqlChecks };
}

/** Codes that loop prevention gives to rows it condemns; counting them again as a rule's would mix the two. */
const TAKEN_CODES: readonly string[] = ['DUPLICATE_FAILURE', 'MAX_ATTEMPTS'];

/** An error code of quarantined rows; notes one that is none. */
export function readCode(code: string, place: string, notes: Notes): string {
  if (!/^[A-Z][A-Z0-9_]*$/.test(code) || TAKEN_CODES.includes(code)) {
    notes.add(
      place,
      `the error code ${showValue(code)}`,
      `letters, digits and _ from a letter on, other than ${TAKEN_CODES.join(', ')}`,
    );
  }
  return code;
}

function readParse(parse: ColumnRead['parse'], type: ColumnType, place: string, notes: Notes): ParseFormat {
  if (parse === undefined) return { kind: 'auto' };
  const word = typeof parse === 'string' ? parse : '';
  if (word === 'numeric') {
    noteUnfit(parse, NUMBERS, type, place, notes);
    return { kind: 'numeric' };
  }
  if (word === 'epoch_seconds' || word === 'epoch_millis') {
    noteUnfit(parse, DATES_AND_TIMES, type, place, notes);
    return { kind: word };
  }
  const formats = typeof parse === 'string' ? [parse] : parse;
  const odd = formats.find((format) => !format.includes('%'));
  if (odd !== undefined) notes.add(place, showValue(odd), COLUMN_FIELDS.parse.expected + didYouMean(odd, WORDS));
  else noteUnfit(parse, DATES_AND_TIMES, type, place, notes);
  return { kind: 'strptime', formats };
}

function noteUnfit(
  parse: ColumnRead['parse'],
  kinds: readonly string[],
  type: ColumnType,
  place: string,
  notes: Notes,
): void {
  if (kinds.includes(type.kind)) return;
  notes.add(
    place,
    `${showValue(parse)} on a column of type ${renderColumnType(type)}`,
    `a column of type ${kinds.join(', ')}`,
  );
}
