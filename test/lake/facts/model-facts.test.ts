import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileOutcome } from '../../../lib/core/run.ts';
import type { ModelSpec } from '../../../lib/core/spec.ts';
import type { Schema } from '../../../lib/iceberg/types.ts';
import { filesRead, modelFacts } from '../../../lib/lake/facts/model-facts.ts';
import type { ModelOutcome } from '../../../lib/lake/run/unit-result.ts';
import type { ColumnStats } from '../../../lib/ports.ts';

const GOLD = { layer: 'gold', id: 'gold.t', name: 't', personal: ['secret'] } as unknown as ModelSpec;

type Stats = readonly [rows: number, nulls: number, min: string | null, max: string | null];

/** What is told of one column whose files have such statistics. */
function told(type: string, files: readonly Stats[], name = 'c', keys: readonly (readonly [string, boolean])[] = []) {
  const schema = {
    type: 'struct',
    'schema-id': 0,
    fields: [{ id: 1, name, required: false, type }],
  } as unknown as Schema;
  const written = files.map(([rows, nulls, min, max], at) => {
    const column: ColumnStats = { path: [name], bytes: 1, values: rows, nulls, min, max, hasNan: false };
    return { key: `${at}`, written: { path: '', rows, bytes: 1, partition: [], columns: [column] } };
  });
  const outcome = {
    written,
    files: [],
    staging: { ms: 0 },
    merging: { ms: 0 },
    merge_units: 0,
  } as unknown as ModelOutcome;
  const held = new Map(keys.map(([column, held]) => [column, { held, alone: true }]));
  const { columns } = modelFacts(GOLD, { units: [] }, outcome, { schema, held });
  return columns.map(({ rows, nulls, distinct, min, max, unique }) => [rows, nulls, distinct, min, max, unique]);
}

test('bounds of several files are compared as values of their type, and missing where one does not say', () => {
  assert.deepEqual(
    told('long', [
      [2, 0, '9', '10'],
      [3, 1, '-7', '8'],
    ]),
    [[5, 1, null, '-7', '10', null]],
  );
  assert.deepEqual(
    told('string', [
      [2, 0, '9', '90'],
      [1, 0, '10', '10'],
    ]),
    [[3, 0, null, '10', '90', null]],
  );
  assert.deepEqual(told('boolean', [[2, 0, '0', '1']]), [[2, 0, null, 'false', 'true', null]]);
  assert.deepEqual(
    told('long', [
      [2, 0, '9', '10'],
      [1, 0, null, null],
    ]),
    [[3, 0, null, null, null, null]],
  );
  assert.deepEqual(
    told('long', [
      [2, 0, '9', '10'],
      [1, 1, null, null],
    ]),
    [[3, 1, null, '9', '10', null]],
  );
  assert.deepEqual(told('long', []), []);
});

test('how many values there are follows from nulls, bounds and keys; what is personal shows none of them', () => {
  assert.deepEqual(told('long', [[4, 4, null, null]]), [[4, 4, 0, null, null, null]]);
  assert.deepEqual(told('long', [[4, 1, '3', '3']]), [[4, 1, 1, '3', '3', null]]);
  assert.deepEqual(told('long', [[4, 1, '1', '3']], 'c', [['c', true]]), [[4, 1, 3, '1', '3', true]]);
  assert.deepEqual(told('long', [[4, 1, '1', '3']], 'c', [['c', false]]), [[4, 1, null, '1', '3', false]]);
  assert.deepEqual(told('string', [[4, 0, 'a', 'a']], 'secret'), [[4, 0, 1, null, null, null]]);
});

test('a long text is cut, between characters', () => {
  const [row] = told('string', [[2, 0, 'a', '\u{1F600}'.repeat(150)]]);
  assert.equal(row?.[4], '\u{1F600}'.repeat(100));
});

test('parts of a file are that file, and several files have one version whatever their order', () => {
  const file = (key: string, etag: string): FileOutcome => ({ key, etag, size: 5 }) as FileOutcome;
  assert.equal(filesRead([]), null);
  assert.deepEqual(filesRead([file('a', 'x'), file('a', 'x')]), { files: 1, bytes: 5, version: 'x' });
  const both = filesRead([file('a', 'x'), file('b', 'y')]);
  assert.deepEqual([both?.files, both?.bytes, both?.version.length], [2, 10, 64]);
  assert.deepEqual(filesRead([file('b', 'y'), file('a', 'x')]), both);
  assert.notEqual(filesRead([file('b', 'z'), file('a', 'x')])?.version, both?.version);
});
