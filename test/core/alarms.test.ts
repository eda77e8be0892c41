import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ALARMS } from '../../lib/core/alarms.ts';

test('docs/aws.md says of each alarm what runbooks say', () => {
  const page = readFileSync(new URL('../../docs/aws.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (.*?) +\| (.*?) +\|$/gm)].map(([, name, means, does = '']) => [
    name,
    // The page has links to what else it says.
    { means, does: does.replaceAll(/ \(\[below\]\([^)]*\)\)/g, '') },
  ]);
  const found = Object.fromEntries(rows.filter(([name]) => Object.hasOwn(ALARMS, String(name))));
  assert.deepEqual(found, ALARMS);
});
