import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { missingForTrino } from './trino-server.ts';

/**
 * `npm run test:engines [-- <part of a file's name> ...]`: gold models that real engines compute, on this machine. Runs
 * test/engines/*.engine.ts, which start the engines that they need on ports that nobody else reaches. The first run installs them
 * below .peers, some 800 MB; with --at-hand nothing is fetched, and where that would be needed no test runs, which is said. Ends with
 * 1 when a test failed or none ran.
 */
const TEST_LIMIT = 600_000;

const AT_HAND = '--at-hand';
const missing = process.argv.includes(AT_HAND) ? missingForTrino() : undefined;
if (missing !== undefined) {
  console.log(
    `SKIPPED: no gold model was computed by Trino, since there is ${missing}; npm run test:engines fetches what it needs`,
  );
  process.exit(0);
}

const parts = process.argv.slice(2).filter((part) => part !== AT_HAND);
const files = globSync('*.engine.ts', { cwd: import.meta.dirname })
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .map((file) => join(import.meta.dirname, file))
  .sort();

let passed = 0;
let failed = 0;
const results = run({ files, concurrency: 1, timeout: TEST_LIMIT });
results.on('test:pass', ({ details, skip, todo, file, name }) => {
  if (details.type !== 'suite' && skip === undefined && todo === undefined && name !== file) passed += 1;
});
results.on('test:fail', () => {
  failed += 1;
});
for await (const text of results.compose(spec)) process.stdout.write(text);

if (passed === 0)
  console.error(`no test ran: ${files.length} files in test/engines match ${parts.join(' ') || '*.engine.ts'}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
