import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { createAskAws } from '../../adapters/aws/ask.ts';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createAwsSecrets } from '../../adapters/aws/secrets.ts';
import { createS3Store } from '../../adapters/store/s3.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { SourceSpec } from '../../core/spec.ts';
import type { LandedOrigin, Log } from '../../ports.ts';
import type { FetchDeps } from '../origins/fetch-sources.ts';
import { parseEnvironment } from './environment.ts';

/** A source, as far as what lands it has to know it. */
export type LandedSource = Pick<SourceSpec, 'name' | 'origin'>;

export type OriginDeps = { readonly pipeline: string; readonly source: LandedSource; readonly deps: FetchDeps };

/** What was landed, for the log and for who asked. */
export function landed(log: Log, source: string, { files, records, nothing }: LandedOrigin) {
  log.info('fetched', { source, files: files.length, records, ...(nothing === undefined ? {} : { nothing }) });
  return { files: files.length, records };
}

/**
 * What a function that lands one source works with. Secrets are read in each call, so that a new one counts from then on. `scratch`: where
 * files are that are made or brought; default: the folder that may be written to.
 */
export function originDeps(scratch?: string): OriginDeps {
  const { pipeline, buckets, tmp } = parseEnvironment(process.env);
  const store = createS3Store({
    client: new S3Client({ maxAttempts: 1, requestHandler: CONNECTIONS }),
    ...{ buckets, scratch: scratch ?? tmp },
  });
  const settings = { endpoint: process.env['AWS_ENDPOINT_URL'] };
  const read = createAwsSecrets(createAskAws(() => new SNSClient({ requestHandler: CONNECTIONS }).config, settings));
  const text = process.env['STRATA_ORIGIN'];
  if (text === undefined) {
    throw new InvalidInput('no STRATA_ORIGIN in the environment of this function: deploy its stack again');
  }
  // Those that were given to the construct may have any names.
  const given = JSON.parse(process.env['STRATA_SECRETS'] ?? '{}') as Readonly<Record<string, string>>;
  return {
    pipeline,
    source: JSON.parse(text) as LandedSource,
    deps: {
      store,
      clock: { now: () => new Date() },
      wait: (ms) => sleep(ms),
      secret: (name) => read(given[name] ?? name),
    },
  };
}
