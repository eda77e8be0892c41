import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type BadSource, type Outcome, runSources } from './bad-lake.ts';
import { openParquetMaker, type ParquetMaker } from './parquet-maker.ts';

const columns = {
  id: { type: 'bigint', required: true, renamedFrom: ['nr', 'no'] },
  value: { type: 'decimal(12,2)', as: 'amount', renamedFrom: 'betrag' },
  kind: { type: 'string', required: true, default: 'other' },
  day: { type: 'date', parse: '%d/%m/%Y', default: '2026-01-31' },
  count: { type: 'int', default: 0 },
  parts: { type: 'struct<a: int>', renamedFrom: 'bits' },
} as const;

type Value = string | number | null | { readonly a: number };
type Shape = Readonly<Record<string, Value>>;

const FULL = { kind: 'k', day: '05/02/2026', count: 7 };
const SHAPES = {
  now: { id: 1, value: 1.5, ...FULL, parts: { a: 1 } },
  before: { nr: 2, betrag: 2.5, ...FULL, bits: { a: 2 } },
  longBefore: { no: 3, value: 3.5, ...FULL, bits: { a: 3 } },
  both: { id: 4, nr: 4, value: 4.5, ...FULL },
  lacking: { id: 5, value: 5.5 },
  none: { id: 6, value: null, kind: 'k', day: null, count: null },
  refused: { id: 7, value: 7.5, kind: null },
} as const satisfies Readonly<Record<string, Shape>>;
type ShapeName = keyof typeof SHAPES;
const SHAPE_NAMES = Object.keys(SHAPES) as ShapeName[];

const FORMATS = ['csv', 'lines', 'array', 'parquet'] as const;
type Format = (typeof FORMATS)[number];

let maker: ParquetMaker;
let outcomes: Readonly<Record<string, Outcome>>;

before(async () => {
  maker = await openParquetMaker();
  const sources: Record<string, BadSource> = {};
  for (const format of FORMATS) {
    for (const drift of ['fail', 'evolve'] as const) {
      const files: Record<string, string | Uint8Array> = {};
      for (const name of SHAPE_NAMES) files[name] = await contentOf(format, SHAPES[name]);
      const kind = format === 'csv' || format === 'parquet' ? format : 'json';
      const contract = { columns, drift, ...(format === 'array' ? { layout: 'array' } : {}) };
      sources[`${format}_${drift}`] = { [kind]: contract, files } as unknown as BadSource;
    }
  }
  outcomes = await runSources(sources);
});

after(() => maker.close());

async function contentOf(format: Format, shape: Shape): Promise<string | Uint8Array> {
  if (format === 'lines') return `${JSON.stringify(shape)}\n`;
  if (format === 'array') return JSON.stringify([shape]);
  const nested = (value: Value): boolean => typeof value === 'object' && value !== null;
  if (format === 'csv') {
    const text = (value: Value): string => (nested(value) ? `'${JSON.stringify(value)}'` : String(value ?? ''));
    const quoted = Object.values(shape).map((value) => text(value).replaceAll('"', '""').replaceAll("'", '"'));
    return `${Object.keys(shape).join(',')}\n${quoted.join(',')}\n`;
  }
  const values = Object.entries(shape).map(([name, value]) => {
    if (value === null) return `NULL::VARCHAR AS ${name}`;
    return `${typeof value === 'number' ? value : `'${typeof value === 'string' ? value : JSON.stringify(value)}'`} AS ${name}`;
  });
  return maker.make(`SELECT ${values.join(', ')}`);
}

const given = { kind: 'k', day: '2026-02-05', count: 7 };
const ROWS = [
  { id: 1, amount: '1.50', ...given, parts: { a: 1 } },
  { id: 2, amount: '2.50', ...given, parts: { a: 2 } },
  { id: 3, amount: '3.50', ...given, parts: { a: 3 } },
  { id: 5, amount: '5.50', kind: 'other', day: '2026-01-31', count: 0, parts: null },
  { id: 6, amount: null, kind: 'k', day: null, count: null, parts: null },
];

describe('columns by their names of now and before, and columns that files lack', () => {
  for (const format of FORMATS) {
    for (const drift of ['fail', 'evolve'] as const) {
      test(`${format}, drift ${drift}`, () => {
        const { rows, rejected, quarantine } = outcomes[`${format}_${drift}`] as Outcome;
        assert.deepEqual(
          rows.toSorted((a, b) => Number(a['id']) - Number(b['id'])),
          ROWS,
        );
        const byRow = format === 'lines' || format === 'array';
        const both = byRow
          ? /^the keys id, nr, no are one column, under its names of now and before: expected one of them$/
          : /^SCHEMA_ERROR: line 1: the columns "id", "nr" are one in the contract, under its names of now and before; expected one of them$/;
        const found = byRow ? quarantine.find(({ file }) => file === 'both')?.details[0] : rejected['both'];
        assert.match(found ?? '', both);
        const refused = quarantine.find(({ file }) => file === 'refused');
        assert.deepEqual(refused?.codes, ['NULL_VALUE_ERROR']);
        assert.deepEqual(Object.keys(JSON.parse(refused?.raw ?? '{}')), ['id', 'value', 'kind']);
        assert.deepEqual(
          quarantine.map(({ file }) => file).filter((file) => file !== 'refused'),
          byRow ? ['both'] : [],
        );
      });
    }
  }
});
