import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { parseVars } from '../../lib/cli/vars-option.ts';

const CASES: readonly (readonly [string, object])[] = [
  ['least=10.50', { least: '10.50' }],
  ['since=', { since: '' }],
  ['text=a=b c', { text: 'a=b c' }],
  [
    '{"least": 10.50, "large": 12345678901234567890, "on": true}',
    { least: '10.50', large: '12345678901234567890', on: 'true' },
  ],
  ['{"since": null, "text": "a", "list": ["a", 1.10]}', { since: null, text: 'a', list: '["a",1.10]' }],
  [' {} ', {}],
];
for (const [text, expected] of CASES) {
  test(`--vars '${text}'`, () => assert.deepEqual(parseVars(text), expected));
}

for (const text of ['least', '=1', 'a b=1', '{"a": 1', '{a: 1}', '']) {
  test(`--vars '${text}' is wrong use`, () => {
    assert.throws(
      () => parseVars(text),
      (error) => error instanceof InvalidArgumentError && /Expected name=value/.test(error.message),
    );
  });
}
