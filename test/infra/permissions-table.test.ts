import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FUNCTIONS } from '../../lib/core/states.ts';
import { PERMISSIONS_FILE, renderPermissions } from './permissions-table.ts';

test('docs/aws-permissions.md is what the template gives; if not, run npm run docs:permissions', async () => {
  assert.equal(readFileSync(PERMISSIONS_FILE, 'utf8'), await renderPermissions());
});

test('the document names every function once, the state machine and the schedule', () => {
  const named = [...readFileSync(PERMISSIONS_FILE, 'utf8').matchAll(/^\| (\w[\w ]*) \|/gm)].map(([, name]) => name);
  assert.deepEqual(named, ['function', ...FUNCTIONS, 'state machine', 'state machine of maintenance', 'schedule']);
});
