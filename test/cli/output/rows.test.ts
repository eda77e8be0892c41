import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderValue, textOf } from '../../../lib/cli/output/rows.ts';
import type { JsonValue } from '../../../lib/ports.ts';

const CASES: readonly (readonly [JsonValue, string | undefined, string])[] = [
  [null, undefined, 'null'],
  ['', '', '""'],
  [0, '0', '0'],
  [-0, '-0.0', '-0.0'],
  [[-0, 0], '[-0.0,0]', '[-0.0,0]'],
  [{ a: { b: [-0] } }, '{"a":{"b":[-0.0]}}', '{"a":{"b":[-0.0]}}'],
  ['\ufeff\u2028\0', '\ufeff\u2028\0', '"\ufeff\u2028\\u0000"'],
  [JSON.parse('{"__proto__":-0.0,"b":1}'), '{"__proto__":-0.0,"b":1}', '{"__proto__":-0.0,"b":1}'],
];

for (const [value, text, json] of CASES) {
  test(`${json} as text and as JSON`, () => {
    assert.equal(textOf(value), text);
    assert.equal(renderValue(value), json);
  });
}
