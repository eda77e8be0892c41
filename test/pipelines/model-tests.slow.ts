import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { strataHere } from '../cli/child.ts';

const PIPELINES = fileURLToPath(new URL('../../pipelines', import.meta.url));

test('the tests of the samples pass', async () => {
  const { code, stdout, stderr } = await strataHere(['test', '--pipelines', PIPELINES, '--json']);
  assert.equal(code, 0, stderr);
  const { passed } = JSON.parse(stdout) as { passed: number };
  assert.ok(passed >= 5);
});
