import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DriftPolicy } from '../../lib/core/spec.ts';
import { type BadSource, type Outcome, runSources } from './bad-lake.ts';
import { openParquetMaker, type ParquetMaker } from './parquet-maker.ts';

const columns = {
  id: { type: 'bigint', required: true },
  name: { type: 'string', as: 'full_name' },
  amount: 'decimal(12,2)',
} as const;

type Shape = { readonly header: readonly string[]; readonly row: readonly (string | null)[] };

const SHAPES = {
  asDeclared: { header: ['id', 'name', 'amount'], row: ['1', 'a', '1.00'] },
  reordered: { header: ['amount', 'id', 'name'], row: ['1.00', '1', 'a'] },
  extra: { header: ['id', 'name', 'amount', 'color'], row: ['1', 'a', '1.00', 'red'] },
  optionalMissing: { header: ['id', 'amount'], row: ['1', '1.00'] },
  requiredMissing: { header: ['name', 'amount'], row: ['a', '1.00'] },
  optionalRenamed: { header: ['id', 'Name', 'amount'], row: ['1', 'a', '1.00'] },
  requiredRenamed: { header: ['ID', 'name', 'amount'], row: ['1', 'a', '1.00'] },
} as const satisfies Readonly<Record<string, Shape>>;

const FORMATS = ['csv', 'lines', 'array', 'parquet'] as const;
const POLICIES = ['fail', 'ignore', 'evolve'] as const satisfies readonly DriftPolicy[];
const SHAPE_NAMES = Object.keys(SHAPES) as (keyof typeof SHAPES)[];

let maker: ParquetMaker;
let outcomes: Readonly<Record<string, Outcome>>;

before(async () => {
  maker = await openParquetMaker();
  const sources: Record<string, BadSource> = {};
  for (const format of FORMATS) {
    for (const drift of POLICIES) sources[`${format}_${drift}`] = await sourceOf(format, drift);
  }
  outcomes = await runSources(sources);
});

after(() => maker.close());

async function sourceOf(format: (typeof FORMATS)[number], drift: DriftPolicy): Promise<BadSource> {
  const files: Record<string, string | Uint8Array> = {};
  for (const name of SHAPE_NAMES) files[name] = await contentOf(format, SHAPES[name]);
  if (format === 'csv') return { csv: { columns, drift }, files };
  if (format === 'parquet') return { parquet: { columns, drift }, files };
  return { json: { columns, drift, ...(format === 'array' ? { layout: 'array' } : {}) }, files };
}

async function contentOf(format: (typeof FORMATS)[number], shape: Shape): Promise<string | Uint8Array> {
  if (format === 'csv') return `${shape.header.join(',')}\n${shape.row.join(',')}\n`;
  const object = Object.fromEntries(shape.header.map((name, i) => [name, shape.row[i]]));
  if (format === 'lines') return `${JSON.stringify(object)}\n`;
  if (format === 'array') return JSON.stringify([object]);
  const values = shape.header.map(
    (name, i) => `${name === 'id' ? `${shape.row[i]}::BIGINT` : `'${shape.row[i]}'`} AS "${name}"`,
  );
  return maker.make(`SELECT ${values.join(', ')}`);
}

/** What becomes of the row: a missing value is null. */
type Fate = 'accepted' | 'without name' | 'with color' | 'with Name' | 'rejected' | 'quarantined';

const FATES: Readonly<Record<DriftPolicy, Readonly<Record<keyof typeof SHAPES, Fate>>>> = {
  fail: {
    asDeclared: 'accepted',
    reordered: 'accepted',
    extra: 'rejected',
    optionalMissing: 'without name',
    requiredMissing: 'rejected',
    optionalRenamed: 'rejected',
    requiredRenamed: 'rejected',
  },
  ignore: {
    asDeclared: 'accepted',
    reordered: 'accepted',
    extra: 'accepted',
    optionalMissing: 'without name',
    requiredMissing: 'rejected',
    optionalRenamed: 'without name',
    requiredRenamed: 'rejected',
  },
  evolve: {
    asDeclared: 'accepted',
    reordered: 'accepted',
    extra: 'with color',
    optionalMissing: 'without name',
    requiredMissing: 'rejected',
    optionalRenamed: 'with Name',
    requiredRenamed: 'rejected',
  },
};

for (const format of FORMATS) {
  for (const drift of POLICIES) {
    test(`${format} files whose columns differ, with drift '${drift}'`, () => {
      const outcome = outcomes[`${format}_${drift}`];
      assert.ok(outcome);
      const json = format === 'lines' || format === 'array';
      const expected = SHAPE_NAMES.map((name): readonly [keyof typeof SHAPES, Fate] => [
        name,
        json ? jsonFate(drift, name) : FATES[drift][name],
      ]);
      const extra = drift === 'evolve' ? { color: null, Name: null } : {};
      const row = { id: 1, full_name: 'a', amount: '1.00', ...extra };
      const rows = expected.flatMap(([, fate]): object[] => {
        if (fate === 'accepted') return [row];
        if (fate === 'without name') return [{ ...row, full_name: null }];
        if (fate === 'with color') return [{ ...row, color: 'red' }];
        return fate === 'with Name' ? [{ ...row, full_name: null, Name: 'a' }] : [];
      });
      const text = (values: readonly unknown[]): string[] =>
        values.map((value) => JSON.stringify(sorted(value))).sort();
      assert.deepEqual(text(outcome.rows), text(rows));
      assert.deepEqual(
        Object.keys(outcome.rejected).sort(),
        expected
          .filter(([, fate]) => fate === 'rejected')
          .map(([name]) => name)
          .sort(),
      );
      assert.deepEqual(
        outcome.quarantine.map((refused) => `${refused.file} ${refused.line} ${refused.codes}`),
        expected
          .filter(([, fate]) => fate === 'quarantined')
          .map(([name]) => `${name} 1 ${jsonCodes(drift, name)}`)
          .sort(),
      );
      for (const reason of Object.values(outcome.rejected))
        assert.match(reason, /^SCHEMA_ERROR: .*"(id|color|Name|ID)"/);
    });
  }
}

/** JSON rows name their own columns, so what a file is rejected for is the row's fault. */
function jsonFate(drift: DriftPolicy, name: keyof typeof SHAPES): Fate {
  const fate = FATES[drift][name];
  return fate === 'rejected' ? 'quarantined' : fate;
}

/** Codes of a quarantined JSON row, in their order. */
function jsonCodes(drift: DriftPolicy, name: keyof typeof SHAPES): string {
  const strange = drift === 'fail' && name !== 'requiredMissing' ? ['SCHEMA_ERROR'] : [];
  const missing = name.startsWith('required') ? ['NULL_VALUE_ERROR'] : [];
  return [...strange, ...missing].join();
}

function sorted(value: unknown): unknown {
  return Object.fromEntries(Object.entries(value as Record<string, unknown>).sort());
}
