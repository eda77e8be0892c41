import { missingForMoto } from '../aws/moto-server.ts';
import { runFiles } from '../support/run-files.ts';
import { missingForSpark } from './spark-session.ts';
import { missingForTrino } from './trino-server.ts';

/**
 * `npm run test:engines [-- <part of a file's name> ...]`: gold models that real engines compute, on this machine. Runs
 * test/engines/*.engine.ts, which start the engines that they need on ports that nobody else reaches. The first run installs them
 * below .peers, some 800 MB and 350 MB; with --at-hand nothing is fetched, and tests of an engine for which that would be needed do not
 * run, which is said; nor do those of all samples, which take half a minute and find what the others do. Ends with 1 when a test failed
 * or none ran.
 */
const AT_HAND = '--at-hand';
const asked = process.argv.slice(2).filter((part) => part !== AT_HAND);

/** Parts of the names of files whose engines are at hand. */
function atHand(): readonly string[] {
  const engines = { spark: missingForSpark(), trino: missingForTrino() ?? missingForMoto() };
  return Object.entries(engines).flatMap(([name, missing]) => {
    if (missing === undefined) return [name];
    console.log(
      `SKIPPED: no gold model was computed by ${name}, since there is ${missing}; npm run test:engines fetches what it needs`,
    );
    return [];
  });
}

const parts = process.argv.includes(AT_HAND) ? atHand() : asked;
if (process.argv.includes(AT_HAND) && parts.length === 0) process.exit(0);
await runFiles({ folder: import.meta.dirname, ending: 'engine', parts, concurrency: 1 });
