import { S3Client } from '@aws-sdk/client-s3';
import { createAskAws } from '../../adapters/aws/ask.ts';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createAwsSecrets } from '../../adapters/aws/secrets.ts';
import type { RunRef } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { tellWaiting } from '../../lake/lineage/untold.ts';
import { IN_PASSING, senderTo } from '../lineage/teller.ts';
import { parseEnvironment } from './environment.ts';

/** Tells collectors of lineage of runs that have ended, where the pipeline names one. The key is read each time, so that a new one counts from then on. */
export async function tellLineage(
  run: Pick<RunRef, 'pipeline' | 'kind'> | undefined,
  deps: Pick<StepDeps, 'store' | 'clock' | 'log'>,
): Promise<void> {
  const { lineage } = parseEnvironment(process.env);
  if (lineage === undefined || run === undefined || run.kind === 'maintenance') return;
  // A client signs for the service that it asks first: that of the store is another.
  const ask = createAskAws(() => new S3Client({ requestHandler: CONNECTIONS }).config, IN_PASSING);
  await tellWaiting(deps, run.pipeline, () => senderTo(lineage, { read: createAwsSecrets(ask), ask: async () => ask }));
}
