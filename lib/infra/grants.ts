import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { Zone } from '../core/objects.ts';
import { ATHENA_RESULTS } from './buckets.ts';
import { keysOfObjects } from './keys.ts';
import { bucketArn, glueArns, LAYERS, type LakePlaces } from './places.ts';

/** What people and their programs may do, as methods of the constructs give it. What functions may do says permissions.ts. */

type Place = LakePlaces & IConstruct;

const READ_TABLES = [
  'glue:GetDatabase',
  'glue:GetDatabases',
  'glue:GetTable',
  'glue:GetTables',
  'glue:GetPartition',
  'glue:GetPartitions',
];

const QUERY = [
  'athena:GetWorkGroup',
  'athena:StartQueryExecution',
  'athena:StopQueryExecution',
  'athena:GetQueryExecution',
  'athena:GetQueryResults',
];

/** Tables of a pipeline, and the objects that they consist of. */
export function grantRead(lake: Place, grantee: IGrantable, pipeline: string): Grant {
  const objects = LAYERS.map((layer) => `${bucketArn(lake, layer)}/${layer}/${pipeline}/*`);
  return combined([
    allow(grantee, READ_TABLES, glueArns(Stack.of(lake), lake.names, pipeline)),
    allow(grantee, ['s3:GetObject'], objects),
    ...LAYERS.map((layer) => allowList(lake, grantee, layer, `${layer}/${pipeline}/*`)),
    ...allowKeys(lake, grantee, ['kms:Decrypt']),
  ]);
}

/** The workgroup, and the place of its results. */
export function grantQuery(lake: Place, grantee: IGrantable): Grant {
  const workgroup = Arn.format(
    { service: 'athena', resource: 'workgroup', resourceName: lake.names.workgroup },
    Stack.of(lake),
  );
  const parts = ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
  return combined([
    allow(grantee, QUERY, [workgroup]),
    allow(grantee, parts, [`${bucketArn(lake, 'ops')}/${ATHENA_RESULTS}*`]),
    allow(grantee, ['s3:GetBucketLocation'], [bucketArn(lake, 'ops')]),
    allowList(lake, grantee, 'ops', `${ATHENA_RESULTS}*`),
    ...allowKeys(lake, grantee, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]);
}

export function grantUpload(
  lake: Place,
  grantee: IGrantable,
  { pipeline, source }: { readonly pipeline: string; readonly source?: string },
): Grant {
  const folder = source === undefined ? pipeline : `${pipeline}/${source}`;
  return combined([
    allow(grantee, ['s3:PutObject', 's3:AbortMultipartUpload'], [`${bucketArn(lake, 'bronze')}/bronze/${folder}/*`]),
    // A file in parts is put together again by who may read its key.
    ...allowKeys(lake, grantee, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]);
}

export type Startable = {
  readonly lake: Place;
  readonly pipeline: string;
  readonly machine: { arn: string; name: string };
};

/** Starts runs, follows them and reads what they answer, as `strata run --aws` does. */
export function grantStart({ lake, pipeline, machine }: Startable, grantee: IGrantable): Grant {
  const executions = Arn.format(
    {
      service: 'states',
      resource: 'execution',
      resourceName: `${machine.name}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    },
    Stack.of(lake),
  );
  return combined([
    allow(grantee, ['states:StartExecution'], [machine.arn]),
    allow(grantee, ['states:DescribeExecution', 'states:GetExecutionHistory'], [executions]),
    allow(grantee, ['s3:GetObject'], [`${bucketArn(lake, 'ops')}/ops/${pipeline}/*`]),
    allowList(lake, grantee, 'ops', `ops/${pipeline}/*`),
    ...allowKeys(lake, grantee, ['kms:Decrypt']),
  ]);
}

function allow(grantee: IGrantable, actions: readonly string[], resourceArns: readonly string[]): Grant {
  return Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [...resourceArns] });
}

/** With which objects are encrypted, be they the lake's or given. */
function allowKeys(lake: Place, grantee: IGrantable, actions: readonly string[]): readonly Grant[] {
  const { resources, conditions } = keysOfObjects(lake, lake, actions);
  const writes = actions.includes('kms:GenerateDataKey');
  return [
    Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: resources, conditions }),
    ...lake.keys.map((key) => (writes ? key.grantEncryptDecrypt(grantee) : key.grantDecrypt(grantee))),
  ];
}

/** A request for one object carries no prefix, and is told that there is none only who may list. */
function allowList(lake: Place, grantee: IGrantable, zone: Zone, prefix: string): Grant {
  return Grant.addToPrincipal({
    grantee,
    actions: ['s3:ListBucket'],
    resourceArns: [bucketArn(lake, zone)],
    conditions: { StringLikeIfExists: { 's3:prefix': prefix } },
  });
}

function combined(grants: readonly Grant[]): Grant {
  return grants.reduce((all, one) => all.combine(one));
}
