import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellWord } from '../../lib/cli/command-here.ts';
import { describeFailure, describeRunError } from '../../lib/cli/failure.ts';
import { AuditFailed, InvalidInput, LockHeld, UnreadableTable } from '../../lib/core/errors.ts';

const PROBLEM = { file: 'p.ts', place: 'silver.x', got: 'a', expected: 'b' };

const CASES: readonly (readonly [unknown, number, RegExp])[] = [
  [new InvalidInput('wrong:', [PROBLEM]), 1, /^wrong:\n {2}p\.ts: silver\.x: got a; expected b$/],
  [new AuditFailed('no'), 2, /^AuditFailed: no$/],
  [new UnreadableTable('no'), 2, /^UnreadableTable: no$/],
  [new LockHeld('held'), 3, /^LockHeld: held$/],
  [
    new TypeError('x is not a function'),
    2,
    /^unexpected error: TypeError: x is not a function\. This is a fault of Strata; --debug/,
  ],
  ['thrown text', 2, /^unexpected error: Error: thrown text/],
];

for (const [error, exitCode, message] of CASES) {
  test(`${String(error).split('\n')[0]} ends with ${exitCode}`, () => {
    const failure = describeFailure(error, false);
    assert.equal(failure.exitCode, exitCode);
    assert.match(failure.message, message);
    assert.doesNotMatch(failure.message, /\n\s+at /);
  });
}

test('--debug shows where an error and its cause came from', () => {
  const { message } = describeFailure(new AuditFailed('no', { cause: new RangeError('deep') }), true);
  assert.match(message, /failure\.test\.ts[\s\S]*caused by RangeError: deep[\s\S]*failure\.test\.ts/);
});

test('the document of wrong use lists every problem', () => {
  assert.deepEqual(describeFailure(new InvalidInput('wrong:', [PROBLEM]), false).document, {
    error: {
      name: 'InvalidInput',
      message: 'wrong:\n  p.ts: silver.x: got a; expected b',
      problems: [PROBLEM],
    },
  });
});

test('a run fails on purpose, by the state machine, or by a fault of ours', () => {
  const said = ['AuditFailed', 'States.Timeout', 'TypeError'].map((name) => describeRunError({ name, message: 'm' }));
  assert.deepEqual(said, [
    'AuditFailed: m',
    'States.Timeout: m',
    'unexpected error: TypeError: m. This is a fault of Strata',
  ]);
});

for (const [text, word] of [
  ['/tmp/lake-1', '/tmp/lake-1'],
  ['my lake', "'my lake'"],
  ["it's; rm $HOME", "'it'\\''s; rm $HOME'"],
  ['', "''"],
]) {
  test(`the shell word of ${JSON.stringify(text)} is ${word}`, () => assert.equal(shellWord(String(text)), word));
}
