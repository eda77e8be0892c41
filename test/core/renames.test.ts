import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pendingRenames, renameWords } from '../../lib/core/renames.ts';

test('words of SQL have other names, text and longer words have not', () => {
  const names = new Map([
    ['value', 'amount'],
    ['new "name"', 'old "name"'],
  ]);
  for (const [sql, expected] of [
    ['value + values + "value"', 'amount + values + "amount"'],
    ["value = 'value' || 'it''s value'", "amount = 'value' || 'it''s value'"],
    ['"new ""name""" > t.value', '"old ""name""" > t.amount'],
    ['VALUE', 'VALUE'],
  ] as const) {
    assert.equal(renameWords(sql, names), expected);
  }
});

test('a rename is pending where the name of before is there and the one of now is not', () => {
  const renamed = { c: ['b', 'a'] };
  for (const [names, expected] of [
    [['a'], [['c', 'a']]],
    [['a', 'b'], [['c', 'b']]],
    [['a', 'c'], []],
    [['x'], []],
  ] as const) {
    assert.deepEqual([...pendingRenames(renamed, names)], expected);
  }
});
