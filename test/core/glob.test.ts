import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { matchesGlob, wrongInGlob } from '../../lib/core/glob.ts';

const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['_SUCCESS', ['_SUCCESS'], ['x_SUCCESS', '_SUCCESSx', 'a/_SUCCESS', '_SUCCESS/', '_SUCCESS/a']],
  [
    '_temporary/**',
    ['_temporary/a', '_temporary/a/b', '_temporary/'],
    ['_temporary', 'a/_temporary/b', 'x_temporary/a'],
  ],
  ['**/_SUCCESS', ['_SUCCESS', 'a/_SUCCESS', 'a/b/_SUCCESS'], ['a_SUCCESS', '_SUCCESS/', 'a/']],
  ['*.tmp', ['a.tmp', '.tmp', 'é 😀.tmp'], ['a.tmp/b', 'b/a.tmp', 'a.tmp/', 'atmp']],
  ['a?.csv', ['ab.csv', 'a😀.csv', 'a\n.csv'], ['a.csv', 'a/.csv', 'abc.csv']],
  ['*', ['a', '.b'], ['a/', 'a/b', '']],
  ['a/*', ['a/b'], ['a/', 'a/b/c', 'a/b/']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/b/', 'a/xb']],
  ['**', ['a', 'a/b', 'a/'], []],
  ['**/.*', ['.a', 'b/.a'], ['a.b', '.a/b']],
  ['a+(b)^$.csv', ['a+(b)^$.csv'], ['aab.csv']],
  ['day=2026-*/part-*', ['day=2026-01/part-1'], ['day=2025-01/part-1']],
];

describe('patterns of paths', () => {
  for (const [pattern, named, others] of CASES) {
    test(pattern, () => {
      assert.equal(wrongInGlob(pattern), undefined);
      for (const path of named) assert.ok(matchesGlob(pattern, path), `${pattern} names ${JSON.stringify(path)}`);
      for (const path of others) assert.ok(!matchesGlob(pattern, path), `${pattern} names ${JSON.stringify(path)}`);
    });
  }

  for (const pattern of [
    '',
    '/a',
    'a/',
    'a//b',
    '../a',
    './a',
    'a/..',
    'a**',
    '**b/c',
    '[ab]',
    '{a,b}',
    'a\\b',
    '!a',
  ]) {
    test(`${JSON.stringify(pattern)} is none`, () => assert.ok(wrongInGlob(pattern)));
  }
});
