import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { evolveSchema } from '../../lib/iceberg/evolve.ts';
import { columnsOf, columnTypeOf, leafFields, schemaOf, typeOfField } from '../../lib/iceberg/schema.ts';
import type { IcebergType } from '../../lib/iceberg/types.ts';
import { column, columns } from './arbitraries.ts';

test('fresh ids: the top level first, then nested ones in order', () => {
  const { schema, lastColumnId } = schemaOf([
    column('a', 'struct<x: int, y: list<string>>'),
    column('b', 'list<struct<p: decimal(38,10), q: timestamptz>>'),
    column('c', 'bigint'),
  ]);
  assert.deepEqual(schema, {
    type: 'struct',
    'schema-id': 0,
    fields: [
      {
        id: 1,
        name: 'a',
        required: false,
        type: {
          type: 'struct',
          fields: [
            { id: 4, name: 'x', required: false, type: 'int' },
            {
              id: 5,
              name: 'y',
              required: false,
              type: { type: 'list', 'element-id': 6, 'element-required': false, element: 'string' },
            },
          ],
        },
      },
      {
        id: 2,
        name: 'b',
        required: false,
        type: {
          type: 'list',
          'element-id': 7,
          'element-required': false,
          element: {
            type: 'struct',
            fields: [
              { id: 8, name: 'p', required: false, type: 'decimal(38, 10)' },
              { id: 9, name: 'q', required: false, type: 'timestamptz' },
            ],
          },
        },
      },
      { id: 3, name: 'c', required: false, type: 'long' },
    ],
  });
  assert.equal(lastColumnId, 9);
  assert.deepEqual(
    leafFields(schema).map(({ id, path, insideList }) => [id, path.join('.'), insideList]),
    [
      [4, 'a.x', false],
      [6, 'a.y.element', true],
      [8, 'b.element.p', true],
      [9, 'b.element.q', true],
      [3, 'c', false],
    ],
  );
  assert.equal(typeOfField(schema, 8), 'decimal(38, 10)');
  assert.equal(typeOfField(schema, 99), undefined);
});

test('columns survive, whatever their names', () => {
  fc.assert(fc.property(columns, (wanted) => assert.deepEqual(columnsOf(schemaOf(wanted).schema), wanted)));
});

test('names that differ only in case are refused, also inside a struct', () => {
  assert.throws(() => schemaOf([column('Id', 'int'), column('id', 'int')]), /got Id and id/);
  assert.throws(() => schemaOf([column('s', 'struct<"A": int, a: int>')]), /got A and a/);
});

test('types that no column has are refused', () => {
  for (const type of ['time', 'uuid', 'fixed[4]', 'timestamp_ns'])
    assert.throws(() => columnTypeOf(type), /does not read/);
});

test('evolution', () => {
  const same = 'same';
  const cases: readonly (readonly [string, string, string])[] = [
    ['int', 'int', same],
    ['int', 'bigint', 'long'],
    ['bigint', 'int', same],
    ['float', 'double', 'double'],
    ['double', 'float', same],
    ['decimal(9,2)', 'decimal(12,2)', 'decimal(12, 2)'],
    ['decimal(12,2)', 'decimal(9,2)', same],
    ['decimal(9,2)', 'decimal(12,3)', 'got decimal(12,3); expected decimal(9,2)'],
    ['int', 'double', 'got double; expected int'],
    ['int', 'string', 'got string; expected int'],
    ['date', 'timestamp', 'got timestamp; expected date'],
    ['timestamp', 'timestamptz', 'got timestamptz; expected timestamp'],
    ['list<int>', 'list<bigint>', '{"type":"list","element-id":2,"element-required":false,"element":"long"}'],
    ['list<int>', 'int', 'got int; expected list<int>'],
  ];
  for (const [from, to, expected] of cases) {
    const { schema, lastColumnId } = schemaOf([column('c', from)]);
    const evolution = evolveSchema(schema, lastColumnId, [column('c', to)]);
    assert.equal(outcome(evolution), expected, `${from} -> ${to}`);
  }
});

function outcome(evolution: ReturnType<typeof evolveSchema>): string {
  if (evolution.kind === 'same') return 'same';
  if (evolution.kind === 'incompatible') {
    return evolution.columns.map(({ got, expected }) => `got ${got}; expected ${expected}`).join('\n');
  }
  const type: IcebergType | undefined = evolution.schema.fields[0]?.type;
  return typeof type === 'string' ? type : JSON.stringify(type);
}

test('added columns get new ids at the end, missing ones stay, nested ones join their struct', () => {
  const { schema } = schemaOf([column('a', 'int'), column('s', 'struct<x: int>'), column('gone', 'date')]);
  // Ids above the schema's own were used by a column that was dropped.
  const evolution = evolveSchema(schema, 20, [
    column('new', 'struct<n: int>'),
    column('s', 'struct<x: int, y: string>'),
    column('a', 'bigint'),
  ]);
  assert.ok(evolution.kind === 'evolved');
  assert.equal(evolution.lastColumnId, 23);
  assert.equal(evolution.schema['schema-id'], 1);
  assert.deepEqual(
    leafFields(evolution.schema).map(({ id, path, type }) => [id, path.join('.'), type]),
    [
      [1, 'a', 'long'],
      [4, 's.x', 'int'],
      [21, 's.y', 'string'],
      [3, 'gone', 'date'],
      [23, 'new.n', 'int'],
    ],
  );
});

test('all incompatible columns are listed at once, a change of case is one of them', () => {
  const { schema, lastColumnId } = schemaOf([column('a', 'int'), column('b', 'struct<x: date>'), column('c', 'int')]);
  const evolution = evolveSchema(schema, lastColumnId, [
    column('A', 'int'),
    column('b', 'struct<x: string>'),
    column('c', 'boolean'),
  ]);
  assert.deepEqual(evolution, {
    kind: 'incompatible',
    columns: [
      { column: 'a', got: 'A', expected: "a (the table's spelling)" },
      { column: 'b.x', got: 'string', expected: 'date' },
      { column: 'c', got: 'boolean', expected: 'int' },
    ],
  });
});

test('evolving to the same columns changes nothing; ids are never reused', () => {
  fc.assert(
    fc.property(columns, columns, (first, second) => {
      const { schema, lastColumnId } = schemaOf(first);
      assert.equal(evolveSchema(schema, lastColumnId, first).kind, 'same');
      const evolution = evolveSchema(schema, lastColumnId, second);
      if (evolution.kind !== 'evolved') return;
      const known = new Set(leafFields(schema).map((leaf) => leaf.id));
      for (const { id } of leafFields(evolution.schema)) assert.ok(known.has(id) || id > lastColumnId);
      assert.equal(evolveSchema(evolution.schema, evolution.lastColumnId, second).kind, 'same');
    }),
  );
});
