import { Arn, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, type PolicyStatementProps, type Role } from 'aws-cdk-lib/aws-iam';
import { enginesOf } from '../core/implementations.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { acknowledgeResources } from './acknowledge.ts';
import { ATHENA_RESULTS } from './buckets.ts';
import type { Functions } from './functions.ts';
import { bucketArn, databaseName, glueArns, type LakePlaces } from './places.ts';
import type { Roles } from './roles.ts';

export type EnginesProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  readonly roles: Pick<Roles, 'Work' | 'Open' | 'Publish'>;
};

/**
 * Lets the function that stages hand models to the engines of their texts. They read and write with its rights; what it is given beside
 * those is to begin statements, and to make known the tables that these read and write. What undoes runs may stop statements, and what
 * vacuums have such tables forgotten.
 */
export function connectEngines({ Stage, Fail, Sweep }: Functions, { lake, spec, roles }: EnginesProps): void {
  if (!enginesOf(spec).includes('athena')) return;
  for (const one of [Stage, Fail, Sweep]) one.addEnvironment('STRATA_ATHENA_WORKGROUP', lake.names.workgroup);
  const policy = new Policy(roles.Work, 'Engines');
  const stack = Stack.of(policy);
  const results = `${bucketArn(lake, 'ops')}/${ATHENA_RESULTS}*`;
  const own = Arn.format(
    { service: 'glue', resource: 'table', resourceName: `${databaseName(lake.names, spec.name, 'gold')}/*__strata_*` },
    stack,
  );
  const read = glueArns(stack, lake.names, spec.name, ['gold']);
  const [catalog = '', database = ''] = read;
  const workgroup = Arn.format({ service: 'athena', resource: 'workgroup', resourceName: lake.names.workgroup }, stack);
  const statements = [
    {
      sid: 'Athena',
      actions: [
        'athena:GetWorkGroup',
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
        'athena:GetQueryExecution',
      ],
      resources: [workgroup],
    },
    {
      sid: 'AthenaResults',
      actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      resources: [results],
    },
    {
      sid: 'BucketsOfEngines',
      actions: ['s3:GetBucketLocation'],
      resources: (['silver', 'gold', 'ops'] as const).map((zone) => bucketArn(lake, zone)),
    },
    { sid: 'TablesOfEngines', actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetTables'], resources: [...read] },
    {
      sid: 'OwnTablesOfEngines',
      actions: ['glue:CreateTable', 'glue:UpdateTable', 'glue:DeleteTable'],
      resources: [catalog, database, own],
    },
  ];
  for (const statement of statements) policy.addStatements(new PolicyStatement(statement));
  acknowledgeResources(policy, [results], 'The results of statements, whose names Athena gives them');
  acknowledgeResources(policy, [...read, own], 'Tables that runs show to engines, whose names come with the runs');
  policy.attachToRole(roles.Work);
  const stop = { sid: 'StopStatements', actions: ['athena:StopQueryExecution'], resources: [workgroup] };
  attach(new Policy(roles.Open, 'Engines'), roles.Open, stop);
  const forgetting = new Policy(roles.Publish, 'Engines');
  attach(forgetting, roles.Publish, {
    sid: 'ForgetTablesOfEngines',
    actions: ['glue:DeleteTable'],
    resources: [catalog, database, own],
  });
  acknowledgeResources(forgetting, [own], 'Tables that runs showed to engines, whose names come with the runs');
}

function attach(policy: Policy, role: Role, statement: PolicyStatementProps): void {
  policy.addStatements(new PolicyStatement(statement));
  policy.attachToRole(role);
}
