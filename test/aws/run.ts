import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { awsPython } from './moto-server.ts';

/**
 * `npm run test:aws [-- <part of a file's name> ...]`: the adapters on real API servers, which run on this machine.
 * Runs test/aws/**\/*.aws.ts; each file starts the servers it needs. The first run installs moto, PyIceberg and
 * cfn-lint below .peers. Ends with 1 when a test failed or none ran.
 */
const TEST_LIMIT = 600_000;

const parts = process.argv.slice(2);
const files = globSync('**/*.aws.ts', { cwd: import.meta.dirname })
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .map((file) => join(import.meta.dirname, file))
  .sort();

let passed = 0;
let failed = 0;
await awsPython();
const results = run({ files, concurrency: 2, timeout: TEST_LIMIT });
results.on('test:pass', ({ details, skip, todo, file, name }) => {
  // A file without tests passes under its own name.
  const ran = details.type !== 'suite' && skip === undefined && todo === undefined && name !== file;
  if (ran) passed += 1;
});
results.on('test:fail', () => {
  failed += 1;
});
for await (const text of results.compose(spec)) process.stdout.write(text);

if (passed === 0)
  console.error(`no test ran: ${files.length} files in test/aws match ${parts.join(' ') || '*.aws.ts'}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
