import { runFiles } from '../support/run-files.ts';
import { awsPython } from './moto-server.ts';

/**
 * `npm run test:aws [-- <part of a file's name> ...]`: the adapters on real API servers, which run on this machine.
 * Runs test/aws/**\/*.aws.ts; each file starts the servers it needs. The first run installs moto, PyIceberg and
 * cfn-lint below .peers. Ends with 1 when a test failed or none ran.
 */
await awsPython();
await runFiles({ folder: import.meta.dirname, ending: 'aws', parts: process.argv.slice(2), concurrency: 2 });
