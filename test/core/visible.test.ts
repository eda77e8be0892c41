import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { visibleJson, visibleLine, visibleText } from '../../lib/core/visible.ts';

const CASES: readonly (readonly [string, string, string])[] = [
  ['an escape sequence', '\u001b[31mred', '\\u001b[31mred'],
  ['a bell and a backspace', 'a\u0007\u0008b', 'a\\u0007\\u0008b'],
  ['DEL and C1, such as a one-byte CSI', 'a\u007f\u009b2J', 'a\\u007f\\u009b2J'],
  ['a return and a tab', 'a\rb\tc', 'a\\rb\\tc'],
  ['a turned direction', 'invoice\u202efdp.exe', 'invoice\\u202efdp.exe'],
  ['isolates and marks', '\u2066a\u2069\u200e\u061c', '\\u2066a\\u2069\\u200e\\u061c'],
  ['separators of lines and paragraphs', 'a\u2028b\u2029c\u0085', 'a\\u2028b\\u2029c\\u0085'],
  ['no width', 'a\u200bb\u200dc\u2060d\ufeff\u00ad', 'a\\u200bb\\u200dc\\u2060d\\ufeff\\u00ad'],
  ['tags beyond 16 bits', 'a\u{e0041}b', 'a\\u{e0041}b'],
  ['letters, marks and an emoji as they are', 'Zürich מים 东京 ❤️ e\u0301', 'Zürich מים 东京 ❤️ e\u0301'],
];

describe('what would be hidden is shown', () => {
  for (const [name, text, shown] of CASES) test(name, () => assert.equal(visibleLine(text), shown));

  test('line feeds stay in a text, and do not in a value', () => {
    assert.equal(visibleText('a\n\u001bb'), 'a\n\\u001bb');
    assert.equal(visibleLine('a\nb'), 'a\\nb');
  });
});

test('JSON reads back as the same value and hides nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const json = visibleJson(JSON.stringify({ value, text }, null, 2));
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify({ value, text })));
      assert.equal(visibleText(json), json);
    }),
  );
});
