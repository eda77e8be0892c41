import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { diffRows, type TextRow } from '../../lib/model-tests/diff.ts';

const COLUMNS = ['id', 'name', 'price'];

describe('what two sets of rows do not have in common', () => {
  test('nothing, in any order', () => {
    assert.equal(
      diffRows(
        COLUMNS,
        [
          ['1', 'a', '5'],
          ['2', null, '6'],
        ],
        [
          ['2', null, '6'],
          ['1', 'a', '5'],
        ],
        false,
      ),
      undefined,
    );
  });

  test('a row that is there twice counts twice', () => {
    const diff = diffRows(
      COLUMNS,
      [
        ['1', 'a', '5'],
        ['1', 'a', '5'],
      ],
      [['1', 'a', '5']],
      false,
    );
    assert.deepEqual(diff?.missing, [['1', 'a', '5']]);
    assert.deepEqual(diff?.unexpected, []);
  });

  test('NULL is not the text NULL', () => {
    const diff = diffRows(['a'], [[null]], [['NULL']], false);
    assert.deepEqual([diff?.missing, diff?.unexpected, diff?.changed], [[[null]], [['NULL']], []]);
  });

  test('rows that share most of their values are one row that has changed', () => {
    const diff = diffRows(
      COLUMNS,
      [
        ['1', 'a', '5'],
        ['2', 'b', '6'],
      ],
      [
        ['2', 'b', '7'],
        ['9', 'x', '0'],
      ],
      false,
    );
    assert.deepEqual(diff?.changed, [{ expected: ['2', 'b', '6'], got: ['2', 'b', '7'] }]);
    assert.deepEqual(diff?.missing, [['1', 'a', '5']]);
    assert.deepEqual(diff?.unexpected, [['9', 'x', '0']]);
  });

  test('the order counts when it is asked for', () => {
    const [a, b]: TextRow[] = [
      ['1', 'a', '5'],
      ['2', 'b', '6'],
    ];
    const rows = [a ?? [], b ?? []];
    assert.equal(diffRows(COLUMNS, rows, rows, true), undefined);
    assert.equal(diffRows(COLUMNS, rows, [...rows].reverse(), true)?.order, true);
  });

  test('is empty exactly where the sets are equal, and accounts for every row', () => {
    const rows = fc.array(fc.array(fc.constantFrom('a', 'b', null), { minLength: 2, maxLength: 2 }), { maxLength: 8 });
    fc.assert(
      fc.property(rows, rows, (expected, got) => {
        const diff = diffRows(['x', 'y'], expected, got, false);
        const bag = (some: readonly TextRow[]): string => JSON.stringify(some.map((row) => JSON.stringify(row)).sort());
        assert.equal(diff === undefined, bag(expected) === bag(got));
        const { missing = [], unexpected = [], changed = [] } = diff ?? {};
        // What was expected, less what is missing or changed, with what has come instead, is what there is.
        const gone = [...missing, ...changed.map((one) => one.expected)];
        const come = [...unexpected, ...changed.map((one) => one.got)];
        assert.equal(bag([...expected, ...come]), bag([...got, ...gone]));
      }),
    );
  });
});
