import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AthenaClient } from '@aws-sdk/client-athena';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { GlueClient } from '@aws-sdk/client-glue';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { createAskAws } from '../adapters/aws/ask.ts';
import { CONNECTIONS } from '../adapters/aws/connections.ts';
import { InvalidInput } from '../core/errors.ts';
import type { AccountDeps } from '../remote/check-account.ts';
import type { UsageDeps } from '../remote/usage/function-usage.ts';
import { definitionsOn } from '../remote/versions/machine-definitions.ts';
import type { PruneDeps } from '../remote/versions/prune.ts';
import { publishedOn } from '../remote/versions/published.ts';

/** The account and the region of the caller, as the SDK finds them. */
export function openAccount(): AccountDeps {
  const settings = { requestHandler: CONNECTIONS };
  const cloudFormation = new CloudFormationClient(settings);
  const { config } = cloudFormation;
  const signing = () => new CloudFormationClient({ ...settings, credentials: config.credentials }).config;
  return {
    cloudFormation,
    glue: new GlueClient(settings),
    s3: new S3Client(settings),
    athena: new AthenaClient(settings),
    sfn: new SFNClient(settings),
    ask: createAskAws(signing, { endpoint: process.env['AWS_ENDPOINT_URL'] }),
    region: async () => config.region(),
    clock: { now: () => new Date() },
  };
}

/** What the versions of deployed functions are looked at and removed with. */
export function openVersions({ ask, sfn, clock }: AccountDeps): PruneDeps {
  return { published: publishedOn(ask, sleep), definitions: definitionsOn(sfn), clock };
}

/** What the logs of deployed functions are asked with. */
export function openUsage({ ask, clock }: AccountDeps): UsageDeps {
  return { ask, now: () => clock.now(), wait: sleep };
}

/** What the context of a project's cdk.json says under `adopt`; throws InvalidInput for a file that is no JSON. */
export function adoptedPipelines(file = 'cdk.json'): readonly string[] {
  return String(contextOf(file)['adopt'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Whether it says `nestDatabases`. */
export function nestsDatabases(file = 'cdk.json'): boolean {
  return String(contextOf(file)['nestDatabases']) === 'true';
}

function contextOf(file: string): Readonly<Record<string, unknown>> {
  if (!existsSync(file)) return {};
  try {
    const { context = {} } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly context?: Readonly<Record<string, unknown>>;
    };
    return context;
  } catch (cause) {
    throw new InvalidInput(`${file} cannot be read: ${String(cause)}`, [], { cause });
  }
}
