import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { GlueClient } from '@aws-sdk/client-glue';
import { S3Client } from '@aws-sdk/client-s3';
import { CONNECTIONS } from '../adapters/aws/connections.ts';
import { createGlueCatalog } from '../adapters/catalog/glue.ts';
import { askingLists } from '../adapters/store/listed.ts';
import { createS3Store } from '../adapters/store/s3.ts';
import { deploymentNames } from '../core/deployment-names.ts';
import { createDuckDbEngine } from '../engine/duckdb.ts';
import { parseMetadata, renderMetadata } from '../iceberg/json.ts';
import type { StepDeps } from '../lake/deps.ts';
import type { Log } from '../ports.ts';
import { readOutputs } from '../remote/stack.ts';
import { workMemory } from './machine.ts';
import type { RemotePlace } from './remote-lake.ts';
import { ownScratch, sweepScratch, TEMP_PREFIX } from './scratch.ts';

/** Milliseconds for which a lock is held without being renewed: runs wait no longer for a command that was killed. */
const LEASE_MS = 2 * 60_000;

/**
 * The tables of a deployed lake, changed with the rights of the caller. Whether clocks agree is not known here, so that a
 * lock which seems to have ended is watched. Throws InvalidInput when the lake is not deployed.
 */
export async function openRemoteTables(
  { deployment }: Pick<RemotePlace, 'deployment'>,
  log: Log,
): Promise<Omit<StepDeps, 'specs'>> {
  const names = deploymentNames(deployment, '--stage');
  const outputs = ['BronzeBucket', 'SilverBucket', 'GoldBucket', 'OpsBucket'] as const;
  const found = await readOutputs(new CloudFormationClient({}), names.lakeStack, outputs);
  const buckets = {
    bronze: found.BronzeBucket,
    silver: found.SilverBucket,
    gold: found.GoldBucket,
    ops: found.OpsBucket,
  };
  const client = new S3Client({ maxAttempts: 1, requestHandler: CONNECTIONS });
  await sweepScratch(tmpdir(), TEMP_PREFIX);
  const scratch = ownScratch(tmpdir(), TEMP_PREFIX);
  await mkdir(scratch, { recursive: true });
  const store = askingLists(createS3Store({ client, buckets, scratch }));
  const { short: _short, ...memory } = workMemory({});
  return {
    store,
    catalog: createGlueCatalog({
      client: new GlueClient({ requestHandler: CONNECTIONS }),
      store,
      codec: { parse: parseMetadata, render: renderMetadata },
      databasePrefix: names.databasePrefix,
    }),
    engine: createDuckDbEngine(),
    clock: { now: () => new Date() },
    ids: {
      unique: () => randomBytes(6).toString('hex'),
      uuid: () => randomUUID(),
      snapshot: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
    },
    log,
    wait: (ms) => sleep(ms),
    isGone: () => false,
    settings: {
      ...memory,
      ...{ scratch, folders: [scratch] },
      holder: (runId) => `command:${runId}`,
      leaseMs: LEASE_MS,
    },
  };
}
