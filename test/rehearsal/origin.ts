import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Origin } from '../../lib/core/origins.ts';
import { checkBuckets, checkGrants } from './checks.ts';
import { type Deployment, type DeployOptions, deploy, readObject } from './deployment.ts';
import type { Steps } from './steps.ts';

const LIST = '[{"id":"a","symbol":"a","name":"A","current_price":1.10}]';

/**
 * The function that lands a source, as it is deployed but for where it asks: a server of this machine answers. What it lands is
 * there once, however often it is called, also by two at once, and no call is beyond its role.
 */
export async function rehearseOrigin(options: DeployOptions, source: string, steps: Steps): Promise<void> {
  const { pipeline, folder } = options;
  await rm(folder, { recursive: true, force: true });
  const deployment = await steps.step('deploy', () => deploy(options));
  const server = createServer((asked, answer) => answer.end(/[?&]page=1(&|$)/.test(asked.url ?? '') ? LIST : '[]'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/markets`;
  try {
    const deployed = deployment.functions.get(`origin_${source}`);
    if (deployed === undefined) throw new Error(`${pipeline} has no function for ${source}`);
    const { name, origin } = JSON.parse(deployed.variables['STRATA_ORIGIN'] ?? '{}') as {
      readonly name: string;
      readonly origin: Origin;
    };
    const here = JSON.stringify({ name, origin: { ...origin, url } });
    const fn = { ...deployed, variables: { ...deployed.variables, STRATA_ORIGIN: here } };
    await steps.check(`${fn.name} lands a list once, of two calls at once and one after them`, async () => {
      const both = await Promise.all([1, 2].map(() => deployment.pool.invoke(fn, { pipeline })));
      const answers = [...both, await deployment.pool.invoke(fn, { pipeline })];
      const failed = answers.flatMap((one) => (one.kind === 'error' ? [JSON.stringify(one.error)] : []));
      const files = answers.map((one) =>
        one.kind === 'error' ? 0 : (JSON.parse(one.payload) as { readonly files: number }).files,
      );
      const problems =
        files.toSorted().join() === '0,0,1' ? [] : [`the calls landed ${files.join()} files; expected one in all`];
      return { problems: [...failed, ...problems, ...(await checkLanded(deployment, source))] };
    });
    await steps.check('every call was granted by its role', async () => checkGrants(deployment));
    await steps.check('buckets deny calls without TLS, and no others', async () => checkBuckets(deployment));
  } finally {
    server.close();
    await deployment.pool.close();
  }
}

async function checkLanded(deployment: Deployment, source: string): Promise<readonly string[]> {
  const { pipeline, buckets } = deployment;
  const note = (await readObject(deployment, buckets.ops, `ops/${pipeline}/_origins/${source}/last.json`)) as {
    file: string;
  };
  const landed = await readObject(deployment, buckets.bronze, `bronze/${pipeline}/${source}/${note.file}`);
  return JSON.stringify(landed) === JSON.stringify(JSON.parse(LIST)) ? [] : [`it landed ${JSON.stringify(landed)}`];
}
