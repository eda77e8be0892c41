import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { staticImports } from './static-imports.ts';

const COMMANDS = fileURLToPath(new URL('../../lib/cli/commands', import.meta.url));

/** Those that are for AWS; each is loaded only by its option, or its name. */
const ON_AWS = [
  'compact-aws.ts',
  'dead-letters.ts',
  'doctor-aws.ts',
  'executions.ts',
  'land-aws.ts',
  'query-athena.ts',
  'run-aws.ts',
  'stacks-delete.ts',
  'stacks-prune.ts',
  'stacks.ts',
  'sweep-aws.ts',
];

for (const file of globSync('*.ts', { cwd: COMMANDS })) {
  test(`${file} ${ON_AWS.includes(file) ? 'loads' : 'does not load'} the SDK of AWS`, () => {
    const loaded = [...staticImports(join(COMMANDS, file))].filter((one) => one.startsWith('@aws-sdk/'));
    assert.equal(loaded.length > 0, ON_AWS.includes(basename(file)), loaded.join(', '));
  });
}
