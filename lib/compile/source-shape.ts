import { z } from 'zod';
import { wrongInGlob } from '../core/glob.ts';
import type { ColumnCheck, ContractColumn, SourceFormat, SourceSpec } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import { renderColumnType } from '../core/types.ts';
import { readColumn } from './column-shape.ts';
import type { SourceDraft } from './draft.ts';
import { checkColumns } from './names.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { originFields, readOrigin } from './origins/read-origin.ts';
import { type Field, type Fields, type FieldsRead, isRecord, readField, readFields } from './shape.ts';

const character = z
  .string()
  .regex(/^[^\r\n]$/u)
  .refine((text) => text !== '\0');
/** DuckDB takes single bytes for these. */
const asciiOrNone = z.string().regex(/^[\x21-\x7e]?$/);
const texts = z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)]);

const ANY_SOURCE = {
  format: { schema: z.string(), expected: 'a format', required: true },
  columns: {
    schema: z.record(z.string(), z.unknown()).refine((columns) => Object.keys(columns).length > 0),
    expected: "at least one column by its name in the file, such as { id: 'bigint' }",
    required: true,
  },
  key: {
    schema: z.union([z.string().transform((name) => [name]), z.array(z.string()).min(1)]),
    expected: 'a column name, or a list of at least one',
  },
  drift: { schema: z.enum(['evolve', 'ignore', 'fail']), expected: "'fail', 'ignore' or 'evolve'" },
  branch: { schema: z.string(), expected: "the name of one of the pipeline's schedules" },
  ignore: { schema: z.array(z.string()), expected: "a list of patterns, such as ['_temporary/**', '_SUCCESS']" },
} as const satisfies Record<string, Field>;

const CSV = {
  ...ANY_SOURCE,
  delimiter: { schema: character, expected: 'one character that is no line break and no NUL' },
  quote: { schema: asciiOrNone, expected: "one printable ASCII character, or '' for none" },
  escape: { schema: asciiOrNone, expected: "one printable ASCII character, or '' for none" },
  header: { schema: z.boolean(), expected: 'true or false' },
  encoding: { schema: z.enum(['utf-8', 'utf-16', 'latin-1']), expected: "'utf-8', 'utf-16' or 'latin-1'" },
  nullText: { schema: texts, expected: 'text, or a list of texts, that means NULL' },
} as const satisfies Record<string, Field>;

const JSON_FILES = {
  ...ANY_SOURCE,
  layout: { schema: z.enum(['lines', 'array']), expected: "'lines' or 'array'" },
} as const satisfies Record<string, Field>;

const { encoding: _encoding, ignore: _ignore, ...OF_SEEDS } = CSV;
const SEED = {
  ...OF_SEEDS,
  seed: {
    schema: z
      .string()
      .regex(/^[^/\\].*\.csv$|^[^/\\.]+\.csv$/s)
      .refine((path) => !path.split(/[/\\]/).includes('..')),
    expected: "the path of a .csv file inside the pipeline's folder, such as 'seeds/currencies.csv'",
    required: true,
  },
} as const satisfies Record<string, Field>;

const SOURCE =
  "csv({ ... }), json({ ... }), parquet({ ... }), http({ ... }), kafka({ ... }), postgres({ ... }) or seed('<file>.csv', { ... })";

/** One source; `undefined` when it is not the work of csv, json, parquet, http, kafka or seed. */
export function readSource(name: string, value: unknown, place: string, notes: Notes): SourceDraft | undefined {
  if (!isRecord(value) || !['csv', 'json', 'parquet'].includes(String(value['format']))) {
    notes.add(place, showValue(isRecord(value) ? value['format'] : value), SOURCE);
    return undefined;
  }
  const format = readFormat(value, place, notes);
  const drift = readField(ANY_SOURCE.drift, value['drift'], placeIn(place, 'drift'), createSilence());
  const key = readField(ANY_SOURCE.key, value['key'], placeIn(place, 'key'), createSilence()) ?? [];
  const { columns, checkPlaces, sound } = readColumns(value['columns'], placeIn(place, 'columns'), notes);
  if (format.kind === 'csv' && !format.header) {
    noteNumberNames(columns, place, notes);
    noteDefaults(columns, place, notes);
  }
  if (sound) noteKey(key, columns, placeIn(place, 'key'), notes);
  const ignore = readField(ANY_SOURCE.ignore, value['ignore'], placeIn(place, 'ignore'), createSilence()) ?? [];
  noteIgnore(ignore, placeIn(place, 'ignore'), notes);
  const branch = readField(ANY_SOURCE.branch, value['branch'], placeIn(place, 'branch'), createSilence());
  const origin = readOrigin(value, place, notes);
  const spec: SourceSpec = {
    ...{ name, format, columns, key, drift: drift ?? 'fail', ignore },
    ...(origin === undefined ? {} : { origin }),
    ...(branch === undefined ? {} : { branch }),
  };
  const path = readField(SEED.seed, value['seed'], placeIn(place, 'seed'), createSilence());
  return { spec, place, checkPlaces, sound, ...(Object.hasOwn(value, 'seed') ? { seedPath: path ?? null } : {}) };
}

/** Attempts are counted by the key's text, which lists and structs have no one form of. */
function noteKey(key: readonly string[], columns: readonly ContractColumn[], place: string, notes: Notes): void {
  const names = columns.map((column) => column.name);
  key.forEach((name, index) => {
    const at = placeIn(place, index);
    const column = columns.find((one) => one.name === name);
    if (column === undefined) {
      const renamed = columns.find((one) => one.source === name);
      const hint = renamed === undefined ? oneOf(name, names) : `its name in SQL, ${showValue(renamed.name)}`;
      notes.add(at, `the column ${showValue(name)}`, hint);
    } else if (key.indexOf(name) < index) notes.add(at, `${showValue(name)} again`, 'each column once');
    else if (column.type.kind === 'list' || column.type.kind === 'struct')
      notes.add(
        at,
        `${showValue(name)} of type ${renderColumnType(column.type)}`,
        'a column that is neither list nor struct',
      );
  });
}

function noteIgnore(patterns: readonly string[], place: string, notes: Notes): void {
  for (const [index, pattern] of patterns.entries()) {
    const wrong = wrongInGlob(pattern);
    if (wrong === undefined) continue;
    const expected = "a path relative to the source's folder, in which * and ? stand for text and ** for folders";
    notes.add(placeIn(place, index), `${showValue(pattern)}, which ${wrong}`, expected);
  }
}

/** For a second look at a value whose problems have been noted already. */
function createSilence(): Notes {
  const silence: Notes = { found: [], add: () => {}, inFile: () => silence };
  return silence;
}

function readFormat(value: Readonly<Record<string, unknown>>, place: string, notes: Notes): SourceFormat {
  // What is wrong with its values is noted where it is read.
  const known = anyOf(originFields(value) ?? {});
  switch (value['format']) {
    case 'csv':
      return csvFormat(
        readFields(Object.hasOwn(value, 'seed') ? SEED : CSV, value, place, SOURCE, notes) ?? {},
        place,
        notes,
      );
    case 'json':
      return {
        kind: 'json',
        layout: readFields({ ...known, ...JSON_FILES }, value, place, SOURCE, notes)?.layout ?? 'lines',
      };
    default:
      readFields({ ...known, ...ANY_SOURCE }, value, place, SOURCE, notes);
      return { kind: 'parquet' };
  }
}

function anyOf(fields: Fields): Fields {
  return Object.fromEntries(Object.keys(fields).map((key) => [key, { schema: z.unknown(), expected: '' }]));
}

function csvFormat(read: FieldsRead<typeof CSV>, place: string, notes: Notes): SourceFormat {
  const delimiter = read.delimiter ?? ',';
  const quote = read.quote ?? '"';
  if (delimiter === quote) notes.add(placeIn(place, 'quote'), showValue(quote), 'a character other than the delimiter');
  return {
    kind: 'csv',
    delimiter,
    quote,
    escape: read.escape ?? quote,
    header: read.header ?? true,
    encoding: read.encoding ?? 'utf-8',
    nullText: read.nullText ?? [''],
  };
}

/** `sound`: the columns can be a table, whatever else is wrong with them. */
function readColumns(
  value: unknown,
  place: string,
  notes: Notes,
): Omit<SourceDraft, 'spec' | 'place'> & { columns: ContractColumn[] } {
  const columns: ContractColumn[] = [];
  const checkPlaces = new Map<ColumnCheck, string>();
  const entries = isRecord(value) ? Object.entries(value) : [];
  for (const [source, column] of entries) {
    const draft = readColumn(source, column, placeIn(place, source), notes);
    if (draft === undefined) continue;
    columns.push(draft.column);
    for (const [check, at] of draft.sqlChecks) checkPlaces.set(check, at);
  }
  const named = columns.map((column) => ({ name: column.name, place: placeIn(place, column.source) }));
  const distinct = checkColumns(named, "name it with as: '...'", notes);
  for (const column of columns)
    noteFormerNames(column, columns, placeIn(placeIn(place, column.source), 'renamedFrom'), notes);
  return { columns, checkPlaces, sound: distinct && columns.length > 0 && columns.length === entries.length };
}

/** A name of before that another column has, now or before, would make two columns of one. */
function noteFormerNames(
  column: ContractColumn,
  columns: readonly ContractColumn[],
  place: string,
  notes: Notes,
): void {
  for (const name of column.renamedFrom ?? []) {
    const other = columns.find(
      (one) => one !== column && [one.source, one.name, ...(one.renamedFrom ?? [])].includes(name),
    );
    if (other !== undefined) {
      const expected = `a name that only it had; ${showValue(other.source)} is declared with that name as well`;
      notes.add(place, showValue(name), expected);
    } else if (name === column.source && name === column.name) {
      notes.add(place, showValue(name), 'a name of before, other than that of now');
    }
  }
}

/** Where columns are told by their places none can be lacking: a record that is too short is of a wrong shape. */
function noteDefaults(columns: readonly ContractColumn[], place: string, notes: Notes): void {
  for (const column of columns) {
    if (column.default === undefined) continue;
    const at = placeIn(placeIn(placeIn(place, 'columns'), column.source), 'default');
    notes.add(at, showValue(column.default), 'no default with header: false, whose files have all columns');
  }
}

/** JavaScript puts properties that look like whole numbers first, whatever order they are written in. */
function noteNumberNames(columns: readonly ContractColumn[], place: string, notes: Notes): void {
  for (const { source } of columns) {
    if (!/^\d+$/.test(source)) continue;
    notes.add(
      placeIn(placeIn(place, 'columns'), source),
      `the name ${showValue(source)}`,
      'a name with a letter in it, because header: false takes the columns in their written order',
    );
  }
}
