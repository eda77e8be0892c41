import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/**
 * `npm run test:servers [-- <part of a file's name> ...]`: what talks to other servers, with real ones, which run on this machine.
 * Runs test/servers/**\/*.server.ts; each file starts the servers it needs, on ports of their own that nobody else reaches. The first
 * run installs them below .peers. Ends with 1 when a test failed or none ran.
 */
const TEST_LIMIT = 600_000;

const parts = process.argv.slice(2);
const files = globSync('**/*.server.ts', { cwd: import.meta.dirname })
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .map((file) => join(import.meta.dirname, file))
  .sort();

let passed = 0;
let failed = 0;
const results = run({ files, concurrency: 1, timeout: TEST_LIMIT });
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
  console.error(`no test ran: ${files.length} files in test/servers match ${parts.join(' ') || '*.server.ts'}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
