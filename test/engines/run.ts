import { runFiles } from '../support/run-files.ts';
import { missingForTrino } from './trino-server.ts';

/**
 * `npm run test:engines [-- <part of a file's name> ...]`: gold models that real engines compute, on this machine. Runs
 * test/engines/*.engine.ts, which start the engines that they need on ports that nobody else reaches. The first run installs them
 * below .peers, some 800 MB; with --at-hand nothing is fetched, and where that would be needed no test runs, which is said. Ends with
 * 1 when a test failed or none ran.
 */
const AT_HAND = '--at-hand';
const missing = process.argv.includes(AT_HAND) ? missingForTrino() : undefined;
if (missing !== undefined) {
  console.log(
    `SKIPPED: no gold model was computed by Trino, since there is ${missing}; npm run test:engines fetches what it needs`,
  );
  process.exit(0);
}

const parts = process.argv.slice(2).filter((part) => part !== AT_HAND);
await runFiles({ folder: import.meta.dirname, ending: 'engine', parts, concurrency: 1 });
