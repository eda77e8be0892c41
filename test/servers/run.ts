import { runFiles } from '../support/run-files.ts';

/**
 * `npm run test:servers [-- <part of a file's name> ...]`: what talks to other servers, with real ones, which run on this machine.
 * Runs test/servers/**\/*.server.ts; each file starts the servers it needs, on ports of their own that nobody else reaches. The first
 * run installs them below .peers. Ends with 1 when a test failed or none ran.
 */
await runFiles({ folder: import.meta.dirname, ending: 'server', parts: process.argv.slice(2), concurrency: 1 });
