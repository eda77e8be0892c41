import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { functionsOfRole, ROLE_NAMES } from '../../lib/core/roles.ts';
import { FUNCTIONS } from '../../lib/core/states.ts';
import { PERMISSIONS_FILE, renderPermissions } from './permissions-table.ts';

test('docs/aws-permissions.md is what the template gives; if not, run npm run docs:permissions', async () => {
  assert.equal(readFileSync(PERMISSIONS_FILE, 'utf8'), await renderPermissions());
});

test('the document names every role once, by all that have it', () => {
  const named = [...readFileSync(PERMISSIONS_FILE, 'utf8').matchAll(/^\| (\w[\w ,]*) \|/gm)].map(([, name]) => name);
  const roles = ROLE_NAMES.map((name) => functionsOfRole(name).join(', '));
  assert.deepEqual(named, ['role of', ...roles.slice(0, -1), `${roles.at(-1)}, the state machines, the schedules`]);
  assert.deepEqual(ROLE_NAMES.flatMap(functionsOfRole).toSorted(), FUNCTIONS.toSorted());
});
