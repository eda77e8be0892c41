import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liesInRanges } from '../../lib/core/keyed.ts';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import { KEYED } from '../support/keyed-mode.ts';

const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'nr', type: { kind: 'int' } },
  { name: 'code', type: { kind: 'string' } },
  { name: 'day', type: { kind: 'date' } },
];

const CASES: readonly (readonly [what: string, mode: Partial<KeyedMode>, ranges: boolean])[] = [
  ['a whole number', {}, true],
  ['a smaller one', { key: ['nr'] }, true],
  ['text', { key: ['code'] }, false],
  ['a date', { key: ['day'] }, false],
  ['several columns', { key: ['id', 'nr'] }, false],
  ['a number of buckets', { buckets: 4 }, false],
  ['a merge on read', { writeMode: 'merge-on-read' }, false],
  ['a merge that is not on read', { writeMode: 'copy-on-write' }, true],
  ['buckets that are asked for', { clusterBy: 'hash' }, false],
  ['ranges that are asked for', { key: ['code'], clusterBy: 'range' }, true],
];

for (const [what, mode, ranges] of CASES)
  test(`keys lie in ${ranges ? 'ranges' : 'buckets'}: ${what}`, () => {
    assert.equal(liesInRanges({ mode: { ...KEYED, ...mode }, columns: COLUMNS }), ranges);
  });
