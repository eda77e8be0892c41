import { GlueClient } from '@aws-sdk/client-glue';
import { createAskAws } from '../../adapters/aws/ask.ts';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createAwsSecrets } from '../../adapters/aws/secrets.ts';
import { createPostgresSink } from '../../adapters/postgres/sink.ts';
import type { StepDeps } from '../../lake/deps.ts';

/** What serving needs beside what every worker has. The secret is read for each run, so that a new URL counts from then on. */
export function servingDeps(): Required<Pick<StepDeps, 'sink'>> {
  const settings = { endpoint: process.env['AWS_ENDPOINT_URL'] };
  const read = createAwsSecrets(createAskAws(() => new GlueClient({ requestHandler: CONNECTIONS }).config, settings));
  // One that was given to the construct may have any name: then its ARN stands in the environment.
  const given = process.env['STRATA_SINK_SECRET'];
  return { sink: (secret) => createPostgresSink({ secret, read: (name) => read(given ?? name) }) };
}
