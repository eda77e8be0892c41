import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { JsonValue } from '../../lib/ports.ts';
import { type Assembly, functionsOf } from './assembly.ts';
import type { PutObject } from './events.ts';
import type { LambdaFunction } from './function.ts';
import type { Gateway } from './gateway.ts';
import { clientSettings } from './moto-api.ts';
import { createPool, type Pool } from './pool.ts';
import { type MadeStack, makeStack } from './provision.ts';
import { resolveText, resourcesOf } from './template.ts';
import type { Landing } from './uploads.ts';

/** A pipeline as it stands in the imitated account, ready to be driven. */
export type Deployment = {
  readonly pipeline: string;
  /** Of the server itself; functions go through the gateway. */
  readonly endpoint: string;
  readonly stack: MadeStack;
  /** The stack with the buckets. */
  readonly lake: MadeStack;
  readonly gateway: Gateway;
  readonly pool: Pool;
  /** By the last part of their names, such as `plan-stage`. */
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  /** As the account has them: a deploy changes it. */
  readonly functionsByArn: Map<string, LambdaFunction>;
  readonly buckets: { readonly bronze: string; readonly ops: string };
  readonly machineArn: string;
  /** The state machine of maintenance, by the same names. */
  readonly maintenance: Pick<Deployment, 'machineArn' | 'definition'>;
  /** As Step Functions has it, with its substitutions. */
  readonly definition: string;
  readonly topicArn: string;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
};

export type DeployOptions = {
  readonly assembly: Assembly;
  readonly lake: MadeStack;
  readonly pipeline: string;
  readonly endpoint: string;
  readonly gateway: Gateway;
  /** For logs of the functions and what they write. */
  readonly folder: string;
};

/** Makes a pipeline's stack and loads its functions. */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { assembly, lake, pipeline, endpoint, gateway, folder } = options;
  const stack = await makeStack(endpoint, assembly.pipeline.name, assembly.pipeline.template);
  const functions = await functionsOf(assembly, stack.world);
  const output = (from: MadeStack, name: string): string =>
    resolveText(from.template.Outputs?.[name]?.Value, from.world);
  const sfn = new SFNClient(clientSettings(endpoint));
  const machineArn = output(stack, 'StateMachineArn');
  const definitionOf = async (stateMachineArn: string): Promise<string> =>
    (await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }))).definition ?? '';
  const definition = await definitionOf(machineArn);
  const maintenanceArn = output(stack, 'MaintenanceStateMachineArn');
  const byName = new Map([...functions.values()].map((fn) => [fn.name, fn]));
  const functionsByArn = new Map<string, LambdaFunction>();
  for (const [id, { FunctionName }] of resourcesOf(stack.template, 'AWS::Lambda::Function')) {
    const fn = byName.get(resolveText(FunctionName, stack.world));
    if (fn !== undefined) functionsByArn.set(String(stack.world.attribute(id, 'Arn')), fn);
  }
  // A machine calls its functions by their versions.
  for (const [id, { FunctionName }] of resourcesOf(stack.template, 'AWS::Lambda::Version')) {
    const fn = byName.get(nameOfArn(resolveText(FunctionName, stack.world)));
    if (fn !== undefined) functionsByArn.set(String(stack.world.ref(id)), fn);
  }
  return {
    pipeline,
    endpoint,
    stack,
    lake,
    gateway,
    pool: createPool({ folder, account: (id) => accountOf(id, gateway.endpoint) }),
    functions,
    functionsByArn,
    buckets: { bronze: output(lake, 'BronzeBucket'), ops: output(lake, 'OpsBucket') },
    machineArn,
    definition,
    maintenance: { machineArn: maintenanceArn, definition: await definitionOf(maintenanceArn) },
    topicArn: output(stack, 'TopicArn'),
    s3: new S3Client({ ...clientSettings(endpoint), forcePathStyle: true }),
    sfn,
  };
}

/** A reference to a function is its name. */
function nameOfArn(nameOrArn: string): string {
  return nameOrArn.split(':').at(-1) ?? nameOrArn;
}

/** An environment signs with its own id, by which the gateway tells whose a call is. */
function accountOf(environmentId: string, endpoint: string): Record<string, string> {
  return {
    AWS_REGION: 'eu-central-1',
    AWS_DEFAULT_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: environmentId,
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    AWS_SESSION_TOKEN: 'rehearsal',
    AWS_ENDPOINT_URL: endpoint,
  };
}

/** Throws an Error for a name that no function of the stack ends with. */
export function functionNamed({ functions, stack }: Deployment, name: string): LambdaFunction {
  const found = functions.get(name);
  if (found === undefined)
    throw new Error(`${stack.name} has no function ${name}: it has ${[...functions.keys()].join(', ')}`);
  return found;
}

/** Puts files where a user uploads them. */
export async function upload(
  { s3, buckets, pipeline }: Deployment,
  landings: readonly Landing[],
): Promise<readonly PutObject[]> {
  const put: PutObject[] = [];
  for (const { source, path } of landings) {
    const body = await readFile(path);
    const key = `bronze/${pipeline}/${source}/${basename(path)}`;
    const answer = await s3.send(new PutObjectCommand({ Bucket: buckets.bronze, Key: key, Body: body }));
    const version = answer.VersionId === undefined ? {} : { versionId: answer.VersionId };
    put.push({ bucket: buckets.bronze, key, size: body.length, etag: answer.ETag ?? '', ...version });
  }
  return put;
}

export async function readItems(deployment: Deployment, bucket: string, key: string): Promise<readonly JsonValue[]> {
  return (await readObject(deployment, bucket, key)) as readonly JsonValue[];
}

export async function readObject({ s3 }: Deployment, bucket: string, key: string): Promise<JsonValue> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return JSON.parse((await Body?.transformToString()) ?? '') as JsonValue;
}

export async function exists({ s3 }: Deployment, bucket: string, key: string): Promise<boolean> {
  return s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).then(
    () => true,
    (cause: unknown) => {
      if (cause instanceof Error && cause.name === 'NotFound') return false;
      throw cause;
    },
  );
}
