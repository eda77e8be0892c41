import { z } from 'zod';
import {
  columnsIn,
  type ExportSpec,
  type FilesExport,
  type ObjectExport,
  parseTemplate,
  partsOf,
  placeOfExport,
  wrongInPath,
} from '../core/exports.ts';
import type { Column } from '../core/types.ts';
import type { ModelDraft } from './draft.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, readFields } from './shape.ts';
import { findColumn, isNested, showColumn } from './table-columns.ts';

const to = {
  schema: z.string().refine((path) => wrongInPath(path) === undefined),
  expected: "a path below the pipeline's folder of exports, such as 'reports/revenue.csv'",
  required: true,
} satisfies Field;

const template = z.string().refine((text) => !('wrong' in parseTemplate(text)));

const KINDS = {
  csv: { to, safe: { schema: z.boolean(), expected: 'true or false' } },
  json: { to, layout: { schema: z.enum(['lines', 'array']), expected: "'lines' or 'array'" } },
  parquet: { to },
  files: {
    name: {
      schema: template.refine((name) => wrongInPath(name) === undefined),
      expected: "a path with columns in braces, such as 'reports/{month}/{id}.txt'",
      required: true,
    },
    text: { schema: template, expected: "text with columns in braces, such as 'total: {total}'", required: true },
    period: { schema: z.string(), expected: 'the name of a column' },
  },
} as const;

const EXPORT = {
  branch: { schema: z.string(), expected: "the name of one of the pipeline's schedules" },
  csv: { schema: z.unknown(), expected: "{ to: 'revenue.csv' }" },
  json: { schema: z.unknown(), expected: "{ to: 'revenue.jsonl' }" },
  parquet: { schema: z.unknown(), expected: "{ to: 'revenue.parquet' }" },
  files: { schema: z.unknown(), expected: "{ name: 'reports/{id}.txt', text: 'total: {total}' }" },
} as const satisfies Record<string, Field>;

/** What a model says under `export`; what is wrong is noted and left out. */
export function readExports(value: unknown, place: string, notes: Notes): readonly ExportSpec[] {
  if (value === undefined) return [];
  const read = readFields(EXPORT, value, place, "{ csv: { to: 'revenue.csv' } }", notes);
  if (read === undefined) return [];
  const objects: readonly (ObjectExport | undefined)[] = [
    readCsv(read.csv, placeIn(place, 'csv'), notes),
    readJson(read.json, placeIn(place, 'json'), notes),
    readParquet(read.parquet, placeIn(place, 'parquet'), notes),
  ];
  const files = readFiles(read.files, placeIn(place, 'files'), notes);
  const found = [...objects, files].filter((one) => one !== undefined);
  const { branch } = read;
  return branch === undefined ? found : found.map((one) => ({ ...one, branch }));
}

function readCsv(value: unknown, place: string, notes: Notes): ObjectExport | undefined {
  const read = value === undefined ? undefined : readFields(KINDS.csv, value, place, EXPORT.csv.expected, notes);
  return read?.to === undefined ? undefined : { kind: 'csv', to: read.to, safe: read.safe ?? false };
}

function readJson(value: unknown, place: string, notes: Notes): ObjectExport | undefined {
  const read = value === undefined ? undefined : readFields(KINDS.json, value, place, EXPORT.json.expected, notes);
  return read?.to === undefined ? undefined : { kind: 'json', to: read.to, layout: read.layout ?? 'lines' };
}

function readParquet(value: unknown, place: string, notes: Notes): ObjectExport | undefined {
  const read =
    value === undefined ? undefined : readFields(KINDS.parquet, value, place, EXPORT.parquet.expected, notes);
  return read?.to === undefined ? undefined : { kind: 'parquet', to: read.to };
}

function readFiles(value: unknown, place: string, notes: Notes): FilesExport | undefined {
  const read = value === undefined ? undefined : readFields(KINDS.files, value, place, EXPORT.files.expected, notes);
  if (read?.name === undefined || read.text === undefined) return undefined;
  const { name, text, period } = read;
  return { kind: 'files', name, text, ...(period === undefined ? {} : { period }) };
}

/** Notes columns in templates that the table lacks, or whose values are no text. */
export function checkExports(draft: ModelDraft, columns: readonly Column[], notes: Notes): void {
  for (const spec of draft.exports) {
    if (spec.kind !== 'files') continue;
    const at = placeIn(placeIn(draft.place, 'export'), 'files');
    const named: readonly (readonly [string, readonly string[]])[] = [
      ['name', columnsIn(partsOf(spec.name))],
      ['text', columnsIn(partsOf(spec.text))],
      ['period', spec.period === undefined ? [] : [spec.period]],
    ];
    for (const [property, names] of named) {
      for (const name of names) {
        const column = findColumn(name, columns, placeIn(at, property), notes);
        if (column !== undefined && (isNested(column.type) || column.type.kind === 'binary'))
          notes.add(placeIn(at, property), showColumn(column), 'a column whose values are text, numbers or times');
      }
    }
  }
}

/** Notes exports of one pipeline that would take each other's place, or one of which is a folder of another. */
export function checkPlaces(models: readonly ModelDraft[], notes: Notes): void {
  const taken = new Map<string, string>();
  for (const { place, exports } of models) {
    for (const spec of exports) {
      const path = placeOfExport(spec);
      const at = placeIn(placeIn(placeIn(place, 'export'), spec.kind), spec.kind === 'files' ? 'name' : 'to');
      const [other, where] = [...taken].find(([one]) => clash(one, path)) ?? [];
      if (other !== undefined)
        notes.add(
          at,
          showValue(path),
          `a path of its own${path.includes('{') || other.includes('{') ? ', whatever the columns hold' : ''}: ${where} has ${showValue(other)}`,
        );
      taken.set(path, at);
    }
  }
}

/** Whether values may make one of two paths, or templates of such, the other, or a folder of it: from the start, each segment may be alike. */
function clash(one: string, other: string): boolean {
  const [first, second] = [one.split('/'), other.split('/')];
  return first.slice(0, second.length).every((segment, at) => mayBeAlike(segment, second[at] ?? ''));
}

/** What stands before the first column and after the last decides; a path of an object has no columns. */
function mayBeAlike(one: string, other: string): boolean {
  const [first, second] = [endsOf(one), endsOf(other)];
  if (first === undefined && second === undefined) return one === other;
  const [a, b] = [first ?? { before: one, after: one }, second ?? { before: other, after: other }];
  const begins = a.before.startsWith(b.before) || b.before.startsWith(a.before);
  return begins && (a.after.endsWith(b.after) || b.after.endsWith(a.after));
}

type Ends = { readonly before: string; readonly after: string };

/** Undefined without a column. */
function endsOf(segment: string): Ends | undefined {
  const [before = '', ...rest] = segment.split(/\{[^{}]+\}/);
  return rest.length === 0 ? undefined : { before, after: rest.at(-1) ?? '' };
}
