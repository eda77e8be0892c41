import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetTableCommand,
  GetTablesCommand,
  GlueClient,
} from '@aws-sdk/client-glue';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { awsError } from '../remote/aws-error.ts';

/** All four zones lie in one bucket, so that the location base `s3://lake` names the same files for both worlds. */
const BUCKET = 'lake';

/** The location base of a lake in a folder whose objects are those of a deployed one. */
export const LOCATION_BASE = `s3://${BUCKET}`;

export type DeployedFolder = {
  /** What was asked that a reader may not do. */
  readonly refused: readonly string[];
  /** Keys and prefixes that S3 was asked for since the last look. */
  asked(): readonly string[];
  close(): void;
};

/**
 * A lake in a folder as one that is deployed, to a caller who may read it: S3 and Glue answer reading calls from the folder, and
 * refuse all others. As S3 does for who may not list a whole bucket, it refuses an object that is missing.
 */
export function deployFolder(root: string, stack: string): DeployedFolder {
  const refused: string[] = [];
  const cloudFormation = mockClient(CloudFormationClient);
  const outputs = ['BronzeBucket', 'SilverBucket', 'GoldBucket', 'OpsBucket'];
  cloudFormation.on(DescribeStacksCommand).callsFake(({ StackName }: { StackName: string }) => {
    if (StackName !== stack) throw awsError('ValidationError', 400, `Stack with id ${StackName} does not exist`);
    return { Stacks: [{ StackName, Outputs: outputs.map((OutputKey) => ({ OutputKey, OutputValue: BUCKET })) }] };
  });
  const s3 = mockClient(S3Client);
  const glue = mockClient(GlueClient);
  const refuse = (input: object): never => {
    refused.push(JSON.stringify(input));
    throw awsError('AccessDenied', 403, 'a reader may not do that');
  };
  s3.onAnyCommand().callsFake(refuse);
  glue.onAnyCommand().callsFake(refuse);
  const bytesOf = (key: string): Buffer => {
    const path = join(root, key);
    if (existsSync(path)) return readFileSync(path);
    throw awsError('AccessDenied', 403, `no right to ${key}`);
  };
  const keys = (prefix: string): readonly string[] =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .filter((key) => key.startsWith(prefix) && !key.split('/').some((part) => part.startsWith('.strata-')))
      .sort();
  const listed = (Key: string) => {
    const bytes = bytesOf(Key);
    return { Key, Size: bytes.length, ETag: etagOf(bytes), LastModified: statSync(join(root, Key)).mtime };
  };
  type Listing = { readonly Prefix: string; readonly Delimiter?: string };
  s3.on(ListObjectsV2Command).callsFake(({ Prefix, Delimiter }: Listing) => {
    if (Delimiter === undefined) return { Contents: keys(Prefix).map(listed) };
    const names = new Set(keys(Prefix).map((key) => key.slice(Prefix.length).replace(/\/.*/, '/')));
    const folders = [...names].filter((name) => name.endsWith('/'));
    const files = [...names].filter((name) => !name.endsWith('/'));
    return {
      CommonPrefixes: folders.map((name) => ({ Prefix: `${Prefix}${name}` })),
      Contents: files.map((name) => listed(`${Prefix}${name}`)),
    };
  });
  s3.on(ListObjectVersionsCommand).callsFake(({ Prefix }: Listing) => ({
    Versions: keys(Prefix).map((key) => ({ ...listed(key), IsLatest: true, VersionId: 'null' })),
  }));
  s3.on(HeadObjectCommand).callsFake(({ Key }: { Key: string }) => {
    const { Size, ...found } = listed(Key);
    return { ...found, ContentLength: Size };
  });
  s3.on(GetObjectCommand).callsFake(({ Key, Range }: { Key: string; Range?: string }) => {
    const whole = bytesOf(Key);
    const [, from = '0', to = String(whole.length - 1)] = /^bytes=(\d+)-(\d+)$/.exec(Range ?? '') ?? [];
    const bytes = whole.subarray(Number(from), Number(to) + 1);
    const Body = Object.assign(Readable.from([bytes]), { transformToByteArray: async () => bytes });
    return { Body, ContentLength: bytes.length, ETag: etagOf(whole) };
  });
  const tables = (): readonly { readonly DatabaseName: string; readonly Name: string; readonly Parameters: object }[] =>
    keys('').flatMap((key) => {
      const [, layer, pipeline, name] = /^(\w+)\/(\w+)\/(\w+)\/metadata\/v1\.metadata\.json$/.exec(key) ?? [];
      if (name === undefined) return [];
      const metadata = keys(`${layer}/${pipeline}/${name}/metadata/v`).filter((one) => one.endsWith('.metadata.json'));
      const newest = metadata.toSorted((a, b) => versionOf(a) - versionOf(b)).at(-1) ?? key;
      const Parameters = { table_type: 'ICEBERG', metadata_location: `${LOCATION_BASE}/${newest}` };
      return [{ DatabaseName: `${pipeline}_${layer}`, Name: name, Parameters }];
    });
  glue.on(GetDatabasesCommand).callsFake(() => ({
    DatabaseList: [...new Set(tables().map(({ DatabaseName }) => DatabaseName))].map((Name) => ({ Name })),
  }));
  glue.on(GetDatabaseCommand).callsFake(({ Name }: { Name: string }) => ({ Database: { Name } }));
  glue.on(GetTablesCommand).callsFake((input: { DatabaseName: string }) => ({
    TableList: tables().filter(({ DatabaseName }) => DatabaseName === input.DatabaseName),
  }));
  glue.on(GetTableCommand).callsFake((input: { DatabaseName: string; Name: string }) => {
    const Table = tables().find((one) => one.DatabaseName === input.DatabaseName && one.Name === input.Name);
    if (Table === undefined) throw awsError('EntityNotFoundException', 400, `no table ${input.Name}`);
    return { Table };
  });
  const close = (): void => {
    for (const client of [cloudFormation, s3, glue]) client.restore();
  };
  const asked = (): readonly string[] => {
    const inputs = s3.calls().map(({ args }) => args[0].input as { readonly Key?: string; readonly Prefix?: string });
    s3.resetHistory();
    return inputs.map(({ Key, Prefix }) => Key ?? Prefix ?? '');
  };
  return { refused, asked, close };
}

function versionOf(key: string): number {
  return Number(/\/v(\d+)\.metadata\.json$/.exec(key)?.[1]);
}

/** As the store of a folder has it. */
function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('hex')}"`;
}
