import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startMoto } from '../aws/moto-server.ts';
import { PEERS } from '../interop/environments.ts';
import { readAssembly, synthesize } from './assembly.ts';
import { PIPELINE as DECIDED, rehearseGate } from './gate.ts';
import { startGateway } from './gateway.ts';
import { startFunctionsApi } from './interpreter.ts';
import { rehearseOrigin } from './origin.ts';
import { PIPELINE as OUTSIDE, rehearseOutside } from './outside.ts';
import { makeStack } from './provision.ts';
import { rehearse } from './rehearsal.ts';
import { createSteps } from './steps.ts';

/**
 * `npm run rehearse [-- <pipeline> ...] [-- --keep] [-- --assembly <folder>]`: deploys what `cdk synth` writes to an
 * imitated AWS on this machine, lands files, and drives the state machine with the bundled functions; see docs/aws.md.
 * By default it rehearses online_retail. What is decided about, what reaches out to a PostgreSQL, and what lands by a function, is
 * rehearsed beside them, and alone with `decided`. `--keep` leaves the server up until it is interrupted; `--assembly` takes a
 * cloud assembly that is there. Logs of functions stay in .peers/rehearsal. Ends with 1 on any difference.
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { keep: { type: 'boolean', default: false }, assembly: { type: 'string' } },
});
/** The source whose function is rehearsed beside them. */
const ORIGIN = { pipeline: 'crypto', source: 'markets' } as const;

const named = positionals.length === 0 ? ['online_retail'] : positionals;
const pipelines = named.filter((name) => name !== DECIDED);
const folder = join(PEERS, 'rehearsal');

const steps = createSteps(console.log);
const started = performance.now();
await mkdir(folder, { recursive: true });
const cdkOut = resolve(options.assembly ?? join(folder, 'cdk.out'));
if (options.assembly === undefined) await steps.step('cdk synth', () => synthesize(cdkOut));
const functions = await startFunctionsApi();
const { endpoint, stop } = await steps.step(
  'start moto',
  () => startMoto({ functions: functions.endpoint }),
  (moto) => moto.endpoint,
);
const gateway = await startGateway(endpoint);
try {
  const [first = ORIGIN.pipeline] = pipelines;
  const { lake: lakeStack } = await readAssembly(cdkOut, first);
  const lake = await steps.step('make the lake', () => makeStack(endpoint, lakeStack.name, lakeStack.template));
  for (const pipeline of pipelines) {
    console.log(`\n${pipeline}`);
    const assembly = await readAssembly(cdkOut, pipeline);
    await rehearse({ assembly, lake, pipeline, endpoint, gateway, functions, folder: join(folder, pipeline) }, steps);
  }
  console.log(`\n${DECIDED}`);
  await rehearseGate({ lake, endpoint, gateway, folder: join(folder, DECIDED) }, steps);
  console.log(`\n${OUTSIDE}`);
  await rehearseOutside({ lake, endpoint, gateway, folder: join(folder, OUTSIDE) }, steps);
  console.log(`\n${ORIGIN.pipeline}: ${ORIGIN.source}`);
  const assembly = await readAssembly(cdkOut, ORIGIN.pipeline);
  const { pipeline, source } = ORIGIN;
  await rehearseOrigin({ assembly, lake, pipeline, endpoint, gateway, folder: join(folder, pipeline) }, source, steps);
} catch (cause) {
  console.error(cause);
  process.exitCode = 1;
} finally {
  await gateway.close();
  await functions.close();
}
const seconds = ((performance.now() - started) / 1000).toFixed(0);
const found = process.exitCode === 1 ? 'broken off' : `${steps.problems()} problems`;
console.log(`\n${[...pipelines, DECIDED, OUTSIDE].join(', ')}: ${found} in ${seconds} s`);
if (steps.problems() > 0) {
  console.log(`logs of the functions: ${folder}/<pipeline>/*.log`);
  process.exitCode = 1;
}
if (options.keep) {
  console.log(`the server stays up at ${endpoint} (any credentials, region eu-central-1) until this is interrupted`);
  await new Promise((interrupted) => process.once('SIGINT', interrupted));
}
await stop();
