import { Arn, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { enginesOf } from '../core/implementations.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { acknowledgeResources } from './acknowledge.ts';
import { ATHENA_RESULTS } from './buckets.ts';
import type { Functions } from './functions.ts';
import { bucketArn, databaseName, glueArns, type LakePlaces, tableArn } from './places.ts';
import type { Roles } from './roles.ts';
import { connectSpark, type EnginePolicies, type SparkOptions } from './spark.ts';

export type EnginesProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  readonly roles: Pick<Roles, 'Work' | 'Open' | 'Publish'>;
  /** Undefined: models cannot be handed to Spark. */
  readonly spark: SparkOptions | undefined;
};

/**
 * Lets the function that stages hand models to the engines of their texts. What it is given beside its own rights is to begin
 * statements, and to make known the tables that these read and write: Athena reads and writes with its rights, Spark with those of a role.
 * What undoes runs may stop statements, and what vacuums have such tables forgotten.
 */
export function connectEngines(
  scope: Construct,
  functions: Functions,
  { lake, spec, roles, spark }: EnginesProps,
): void {
  const engines = enginesOf(spec);
  const withSpark = engines.includes('spark') ? spark : undefined;
  if (!engines.includes('athena') && withSpark === undefined) return;
  const policies: EnginePolicies = {
    begin: policyOf(roles.Work),
    stop: policyOf(roles.Open),
    forget: policyOf(roles.Publish),
  };
  if (engines.includes('athena')) connectAthena(policies, functions, lake);
  if (withSpark !== undefined) connectSpark(scope, policies, functions, { ...withSpark, lake, spec });
  showTables(policies, lake, spec.name);
}

function policyOf(role: Role): Policy {
  const policy = new Policy(role, 'Engines');
  policy.attachToRole(role);
  return policy;
}

function connectAthena({ begin, stop }: EnginePolicies, { Stage, Fail, Sweep }: Functions, lake: LakePlaces): void {
  for (const one of [Stage, Fail, Sweep]) one.addEnvironment('STRATA_ATHENA_WORKGROUP', lake.names.workgroup);
  const results = `${bucketArn(lake, 'ops')}/${ATHENA_RESULTS}*`;
  const workgroup = Arn.format(
    { service: 'athena', resource: 'workgroup', resourceName: lake.names.workgroup },
    Stack.of(begin),
  );
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
  ];
  for (const statement of statements) begin.addStatements(new PolicyStatement(statement));
  acknowledgeResources(begin, [results], 'The results of statements, whose names Athena gives them');
  const may = { sid: 'StopStatements', actions: ['athena:StopQueryExecution'], resources: [workgroup] };
  stop.addStatements(new PolicyStatement(may));
}

function showTables({ begin, forget }: EnginePolicies, lake: LakePlaces, pipeline: string): void {
  const stack = Stack.of(begin);
  const own = tableArn(stack, databaseName(lake.names, pipeline, 'gold'), '*__strata_*');
  const read = glueArns(stack, lake.names, pipeline, ['gold']);
  const [catalog = '', database = ''] = read;
  begin.addStatements(
    new PolicyStatement({
      sid: 'TablesOfEngines',
      actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetTables'],
      resources: [...read],
    }),
    new PolicyStatement({
      sid: 'OwnTablesOfEngines',
      actions: ['glue:CreateTable', 'glue:UpdateTable', 'glue:DeleteTable'],
      resources: [catalog, database, own],
    }),
  );
  acknowledgeResources(begin, [...read, own], 'Tables that runs show to engines, whose names come with the runs');
  forget.addStatements(
    new PolicyStatement({
      sid: 'ForgetTablesOfEngines',
      actions: ['glue:DeleteTable'],
      resources: [catalog, database, own],
    }),
  );
  acknowledgeResources(forget, [own], 'Tables that runs showed to engines, whose names come with the runs');
}
