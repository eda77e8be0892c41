import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMoto } from '../aws/moto-server.ts';
import { REHEARSED, type Rehearsed } from './inputs.ts';
import { rehearse } from './rehearsal.ts';

/**
 * `npm run rehearse [pipeline...]`: runs what would be deployed (synthesized templates, built bundles) against API
 * servers on this machine and checks what comes out. Ends non-zero on any difference. `--keep` leaves the server and the
 * folder until the program is stopped.
 */
const words = process.argv.slice(2);
const keep = words.includes('--keep');
const wanted = words.filter((word) => word !== '--keep');
const unknown = wanted.filter((name) => !REHEARSED.some((known) => known === name));
if (unknown.length > 0) {
  console.error(`cannot rehearse ${unknown.join(', ')}: expected one of ${REHEARSED.join(', ')}`);
  process.exit(1);
}
const pipelines = (wanted.length === 0 ? [REHEARSED[0]] : wanted) as readonly Rehearsed[];
const assembly = join(import.meta.dirname, '..', '..', 'cdk.out');
const bundles = join(import.meta.dirname, '..', '..', 'dist', 'lambdas', 'x64');

for (const pipeline of pipelines) {
  const { endpoint, stop } = await startMoto();
  const work = await mkdtemp(join(tmpdir(), `rehearsal-${pipeline}-`));
  try {
    await rehearse({
      pipeline,
      moto: { endpoint, region: 'eu-central-1', account: '123456789012' },
      assembly,
      bundles,
      work,
    });
    console.log(`${pipeline}: everything is as on the laptop`);
  } catch (cause) {
    console.error(`${pipeline}: FAILED`, cause);
    console.error(`logs of the functions: ${join(work, 'logs.jsonl')}`);
    process.exitCode = 1;
  }
  if (keep) {
    console.log(`the server is at ${endpoint}, files are in ${work}; stop with Ctrl-C`);
    await new Promise(() => {});
  }
  await stop();
  if (process.exitCode !== 1) await rm(work, { recursive: true, force: true });
}
