import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonType, widestType } from '../../lib/core/common-type.ts';
import { type ColumnType, parseColumnType, renderColumnType } from '../../lib/core/types.ts';

/** Two types; that in which their values are compared, and where it is another the one that holds them. */
const CASES: readonly (readonly [a: string, b: string, common: string, widest?: string])[] = [
  ['int', 'bigint', 'bigint'],
  ['int', 'decimal(5,2)', 'decimal(12,2)'],
  ['bigint', 'double', 'double'],
  ['float', 'double', 'double'],
  ['decimal(10,2)', 'decimal(10,4)', 'decimal(12,4)'],
  ['decimal(38,0)', 'decimal(38,10)', 'string'],
  ['date', 'timestamp', 'timestamp'],
  ['timestamp', 'timestamptz', 'string'],
  ['string', 'int', 'string'],
  ['boolean', 'boolean', 'boolean'],
  ['list<int>', 'list<bigint>', 'list<bigint>'],
  ['list<int>', 'int', 'string'],
  [
    'struct<"x": int, "y": int>',
    'struct<"Y": string, "x": bigint, "z": date>',
    'struct<"x": bigint>',
    'struct<"x": bigint, "y": int, "z": date>',
  ],
  ['struct<"x": int>', 'struct<"y": int>', 'string', 'struct<"x": int, "y": int>'],
  ['list<struct<"x": int>>', 'list<struct<"y": int>>', 'list<string>', 'list<struct<"x": int, "y": int>>'],
];

function typeOf(text: string): ColumnType {
  const type = parseColumnType(text);
  assert.ok(type, text);
  return type;
}

for (const [a, b, common, widest = common] of CASES) {
  test(`${a} and ${b}`, () => {
    assert.equal(renderColumnType(commonType(typeOf(a), typeOf(b))), common);
    assert.equal(renderColumnType(widestType(typeOf(a), typeOf(b))), widest);
  });
}
