import { createHash } from 'node:crypto';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { awsError } from '../remote/aws-error.ts';

/** The stacks and the buckets of a deployed lake, as far as commands see them. Objects by `bucket/key`. */
export type AwsLake = {
  readonly objects: Map<string, Uint8Array>;
  readonly cloudFormation: ReturnType<typeof mockStacks>;
  put(path: string, document: unknown): void;
  /** Makes the lake anew, without objects. */
  reset(): void;
};

const STACKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'strata-lake': { BronzeBucket: 'bronze-1', OpsBucket: 'ops-1', Workgroup: 'strata', DatabasePrefix: '' },
  'strata-dev-lake': { BronzeBucket: 'dev-bronze', OpsBucket: 'dev-ops', Workgroup: 'dev', DatabasePrefix: 'dev_' },
  'strata-shop': {
    StateMachineArn: 'arn:aws:states:us-east-1:1:stateMachine:strata-shop',
    MaintenanceStateMachineArn: 'arn:aws:states:us-east-1:1:stateMachine:strata-shop_maintenance',
    TopicArn: 't',
    DeadLettersUrl: 'https://sqs.us-east-1.amazonaws.com/1/strata-shop-DeadLetters',
    EventsUrl: 'https://sqs.us-east-1.amazonaws.com/1/strata-shop-Uploads',
  },
  'strata-dev-shop': {
    StateMachineArn: 'arn:aws:states:us-east-1:1:stateMachine:strata-dev-shop',
    TopicArn: 't',
    DeadLettersUrl: 'https://sqs.us-east-1.amazonaws.com/1/strata-shop-DeadLetters',
    EventsUrl: 'none',
  },
};

/** As S3 has it, without a key of KMS: equal bytes have equal etags. */
function etagOf(bytes: Uint8Array | string): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

export function openAwsLake(): AwsLake {
  const objects = new Map<string, Uint8Array>();
  const cloudFormation = mockStacks();
  const s3 = mockClient(S3Client);
  const reset = (): void => {
    objects.clear();
    cloudFormation.reset();
    s3.reset();
    cloudFormation.on(DescribeStacksCommand).callsFake(({ StackName }: { StackName: string }) => describe(StackName));
    s3.on(PutObjectCommand).callsFake(({ Bucket, Key, Body }: { Bucket: string; Key: string; Body: Uint8Array }) => {
      objects.set(`${Bucket}/${Key}`, Body);
      return { ETag: etagOf(Body) };
    });
    const find = ({ Bucket, Key }: { Bucket: string; Key: string }): Uint8Array => {
      const found = objects.get(`${Bucket}/${Key}`);
      if (found === undefined) throw awsError('NotFound', 404, 'NotFound');
      return found;
    };
    s3.on(HeadObjectCommand).callsFake((input) => ({ ContentLength: find(input).length, ETag: etagOf(find(input)) }));
    s3.on(GetObjectCommand).callsFake((input) => {
      const bytes = find(input);
      const Body = { transformToByteArray: async () => bytes } as unknown as NonNullable<
        GetObjectCommandOutput['Body']
      >;
      return { Body, ETag: etagOf(bytes) };
    });
  };
  reset();
  const put = (path: string, document: unknown): void =>
    void objects.set(path, new TextEncoder().encode(JSON.stringify(document)));
  return { objects, cloudFormation, put, reset };
}

function mockStacks() {
  return mockClient(CloudFormationClient);
}

function describe(name: string): unknown {
  const outputs = STACKS[name];
  if (outputs === undefined) throw awsError('ValidationError', 400, `Stack with id ${name} does not exist`);
  const Outputs = Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
  return { Stacks: [{ StackName: name, Outputs }] };
}
