import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { beginOn, followChild, type NodeRelease } from '../../lib/cli/node-release.ts';

const release = (version: string, given: Partial<NodeRelease> = {}): NodeRelease => ({
  version,
  features: {},
  execArgv: [],
  env: {},
  ...given,
});
const FLAG = '--experimental-strip-types';

describe('a Node release', () => {
  const cases: readonly (readonly [string, NodeRelease, string])[] = [
    ['reads TypeScript by itself', release('v22.18.0', { features: { typescript: 'strip' } }), 'here'],
    ['reads it when asked', release('v22.6.0'), 'again'],
    ['does not say that it can', release('v22.17.1', { features: { typescript: false } }), 'again'],
    ['was asked', release('v22.7.0', { execArgv: [FLAG] }), 'here'],
    ['was asked by its options', release('v22.7.0', { env: { NODE_OPTIONS: `--trace-warnings ${FLAG}` } }), 'here'],
    ['of an odd line was not asked', release('v23.0.0'), 'again'],
    ['cannot', release('v22.5.1'), 'refused'],
    ['is too old', release('v20.20.2'), 'refused'],
  ];
  for (const [what, given, kind] of cases) {
    test(`${given.version} ${what}: ${kind}`, () => assert.equal(beginOn(given).kind, kind));
  }

  test('that cannot is told what to install', () => {
    const beginning = beginOn(release('v22.5.1'));
    assert.ok(beginning.kind === 'refused');
    assert.match(beginning.message, /^Node v22\.5\.1 cannot .*: expected Node 22\.6 or later.* npm install/);
  });
});

describe('a command that was begun again', () => {
  const ends = (code: string): Promise<number> => followChild(spawn(process.execPath, ['-e', code]));
  test('ends as it does', async () => assert.equal(await ends('process.exit(3)'), 3));
  test('ends with 143 when it is terminated', async () =>
    assert.equal(await ends("process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 60000)"), 143));
});
