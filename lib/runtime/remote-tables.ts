import { randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { GlueClient } from '@aws-sdk/client-glue';
import { S3Client } from '@aws-sdk/client-s3';
import { CONNECTIONS } from '../adapters/aws/connections.ts';
import { createGlueCatalog } from '../adapters/catalog/glue.ts';
import { createS3Store } from '../adapters/store/s3.ts';
import { deploymentNames } from '../core/deployment-names.ts';
import { parseMetadata, renderMetadata } from '../iceberg/json.ts';
import type { Log } from '../ports.ts';
import { readOutputs } from '../remote/stack.ts';
import type { DropDeps } from './drop-table.ts';
import type { RemotePlace } from './remote-lake.ts';

/** Milliseconds for which a lock is held without being renewed: runs wait no longer for a command that was killed. */
const LEASE_MS = 2 * 60_000;

/**
 * The tables of a deployed lake, changed with the rights of the caller. Whether clocks agree is not known here, so that a
 * lock which seems to have ended is watched. Throws InvalidInput when the lake is not deployed.
 */
export async function openRemoteTables(
  { deployment }: Pick<RemotePlace, 'deployment'>,
  log: Log,
): Promise<Omit<DropDeps, 'specs'>> {
  const names = deploymentNames(deployment, '--stage');
  const outputs = ['SilverBucket', 'GoldBucket', 'OpsBucket'] as const;
  const found = await readOutputs(new CloudFormationClient({}), names.lakeStack, outputs);
  const buckets = { silver: found.SilverBucket, gold: found.GoldBucket, ops: found.OpsBucket };
  const client = new S3Client({ maxAttempts: 1, requestHandler: CONNECTIONS });
  const store = createS3Store({ client, buckets, scratch: tmpdir() });
  return {
    store,
    catalog: createGlueCatalog({
      client: new GlueClient({ requestHandler: CONNECTIONS }),
      store,
      codec: { parse: parseMetadata, render: renderMetadata },
      databasePrefix: names.databasePrefix,
    }),
    clock: { now: () => new Date() },
    ids: {
      unique: () => randomBytes(6).toString('hex'),
      uuid: () => randomUUID(),
      snapshot: () => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n,
    },
    log,
    wait: (ms) => sleep(ms),
    isGone: () => false,
    settings: { holder: (runId) => `command:${runId}`, leaseMs: LEASE_MS },
  };
}
