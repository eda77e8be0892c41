import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileValue } from '../../lib/core/file-values.ts';
import { locateFields, parseNameMapping } from '../../lib/iceberg/name-mapping.ts';
import { hasFieldIds, type ParquetElement, parquetFields } from '../../lib/iceberg/parquet-schema.ts';
import type { NestedField } from '../../lib/iceberg/types.ts';

function element(name: string, children = 0, extra: Partial<ParquetElement> = {}): ParquetElement {
  return { name, children, repeated: false, list: false, fieldId: null, ...extra };
}

const ROOT = element('root', 1);
const LIST = { list: true } as const;
const REPEATED = { repeated: true } as const;

const LISTS: readonly (readonly [string, readonly ParquetElement[], string, number])[] = [
  [
    'three levels',
    [ROOT, element('l', 1, LIST), element('list', 1, REPEATED), element('element', 1), element('x')],
    'element',
    1,
  ],
  [
    'three levels, by Hive',
    [ROOT, element('l', 1, LIST), element('bag', 1, REPEATED), element('array_element')],
    'array_element',
    0,
  ],
  ['two levels of a value', [ROOT, element('l', 1, LIST), element('item', 0, REPEATED)], 'item', 0],
  [
    'two levels of a struct',
    [ROOT, element('l', 1, LIST), element('item', 2, REPEATED), element('a'), element('b')],
    'item',
    2,
  ],
  [
    'two levels of a struct of one field, by Avro',
    [ROOT, element('l', 1, LIST), element('array', 1, REPEATED), element('a')],
    'array',
    1,
  ],
  [
    'two levels of a struct of one field, by Thrift',
    [ROOT, element('l', 1, LIST), element('l_tuple', 1, REPEATED), element('a')],
    'l_tuple',
    1,
  ],
];

for (const [name, elements, expected, fields] of LISTS) {
  test(`a list of ${name}`, () => {
    const [list] = parquetFields(elements);
    assert.deepEqual([list?.name, list?.element?.name, list?.element?.fields.length], ['l', expected, fields]);
  });
}

test('field ids count at any depth', () => {
  const deep = (fieldId: number | null): readonly ParquetElement[] => [
    ROOT,
    element('l', 1, LIST),
    element('list', 1, REPEATED),
    element('element', 0, { fieldId }),
  ];
  assert.equal(hasFieldIds(parquetFields(deep(null))), false);
  assert.equal(hasFieldIds(parquetFields(deep(3))), true);
  assert.deepEqual(parquetFields([]), []);
});

const TABLE: readonly NestedField[] = [
  { id: 1, name: 'id', required: false, type: 'long' },
  { id: 2, name: 'renamed', required: false, type: 'string' },
  { id: 3, name: 'added', required: false, type: 'string' },
  {
    id: 4,
    name: 'tags',
    required: false,
    type: {
      type: 'list',
      'element-id': 5,
      'element-required': false,
      element: {
        type: 'struct',
        fields: [
          { id: 6, name: 'k', required: false, type: 'string' },
          { id: 7, name: 'v', required: false, type: 'int' },
        ],
      },
    },
  },
];
const MAPPING = parseNameMapping(
  JSON.stringify([
    { 'field-id': 1, names: ['id', 'ID'] },
    { 'field-id': 2, names: ['renamed', 'before'] },
    { names: ['nobody'] },
    {
      'field-id': 4,
      names: ['tags'],
      fields: [
        {
          'field-id': 5,
          names: ['element'],
          fields: [
            { 'field-id': 6, names: ['k'] },
            { 'field-id': 7, names: ['value'] },
          ],
        },
      ],
    },
  ]),
  'a table',
);
const FILE = parquetFields([
  element('root', 5),
  element('ID'),
  element('before'),
  element('added'),
  element('tags', 1, LIST),
  element('list', 1, REPEATED),
  element('element', 2),
  element('k'),
  element('v'),
  element('nobody'),
]);

test('names of a mapping find fields, at each level for itself; what it does not name is absent', () => {
  const found = new Map(locateFields(TABLE, FILE, MAPPING).map(({ name, value }) => [name, value]));
  const tags: FileValue = {
    kind: 'list',
    name: 'tags',
    element: {
      kind: 'struct',
      name: 'element',
      fields: [
        { name: 'k', value: { kind: 'whole', name: 'k' } },
        { name: 'v', value: { kind: 'absent' } },
      ],
    },
  };
  assert.deepEqual(
    [...found],
    [
      ['id', { kind: 'whole', name: 'ID' }],
      ['renamed', { kind: 'whole', name: 'before' }],
      ['added', { kind: 'absent' }],
      ['tags', tags],
    ],
  );
});

for (const text of ['', '{}', '[{"field-id": "1", "names": ["a"]}]', '[{"field-id": 1}]', '[{"names": [1]}]']) {
  test(`${JSON.stringify(text)} is no name mapping`, () => {
    assert.throws(() => parseNameMapping(text, 's3://b/t'), {
      name: 'UnreadableTable',
      message: /s3:\/\/b\/t: the property schema\.name-mapping\.default is no name mapping/,
    });
  });
}
