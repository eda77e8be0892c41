import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContractColumn, SourceSpec } from '../../lib/core/spec.ts';
import { checkColumns } from '../../lib/landing/columns.ts';

function column(name: string): ContractColumn {
  return { source: name, name, type: { kind: 'int' }, parse: { kind: 'auto' }, required: true, checks: [] };
}

const SOURCE: SourceSpec = {
  name: 's',
  format: { kind: 'parquet' },
  columns: [column('a'), column('b')],
  key: [],
  drift: 'fail',
  ignore: [],
};

const CASES: readonly (readonly [names: readonly string[], why: string | undefined])[] = [
  [['b', 'a'], undefined],
  [['a'], 'line 1: required column "b" is missing; the file has "a"'],
  [['x'], 'line 1: required columns "a", "b" are missing; the file has "x"'],
  [['a', 'b', 'x'], 'line 1: column "x" is not in the contract'],
  [['a', 'b', 'x', 'y'], 'line 1: columns "x", "y" are not in the contract'],
];

for (const [names, why] of CASES) {
  test(`a file with ${names.join(', ')} against a and b`, () => {
    const found = checkColumns(SOURCE, names)?.replace(/ and drift is .*/, '');
    assert.equal(found, why);
  });
}
