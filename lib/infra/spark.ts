import { Aws, Stack, Token } from 'aws-cdk-lib';
import { type IRole, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { InvalidInput } from '../core/errors.ts';
import type { PipelineSpec } from '../core/spec.ts';
import type { ObjectGrant } from '../core/states.ts';
import { sparkScript } from '../package-files.ts';
import { acknowledgeResources } from './acknowledge.ts';
import type { Functions } from './functions.ts';
import { grantObjects, useKeys } from './permissions.ts';
import { databaseName, glueArns, type LakePlaces, tableArn } from './places.ts';

/** What may be done with engines: to begin statements, by what stages; to stop them, by what undoes runs; to have tables forgotten, by what vacuums. */
export type EnginePolicies = { readonly begin: Policy; readonly stop: Policy; readonly forget: Policy };

/** Which Spark computes models that have a text for it. */
export type SparkOptions = {
  /** Of an application of EMR Serverless, release emr-7.2.0 or later of Spark. */
  readonly applicationId: string;
  /** What jobs may do: the pipeline lets it read its inputs and write staged files. EMR Serverless must be let assume it. */
  readonly role: IRole;
  /** What spark-submit is given beside what is Strata's, such as `--conf spark.executor.memory=8g`. */
  readonly submit?: string;
};

export type SparkProps = SparkOptions & {
  readonly lake: LakePlaces;
  readonly spec: Pick<PipelineSpec, 'name' | 'others'>;
};

const INPUTS: readonly ObjectGrant[] = [
  { zone: 'silver', below: [''], may: ['list', 'read'] },
  { zone: 'gold', below: [''], may: ['list', 'read'] },
];

/** Of gold what is staged, of ops what a job is given and says. */
const OUTPUTS: readonly ObjectGrant[] = [
  { zone: 'gold', below: ['*/staged/'], may: ['write'] },
  { zone: 'ops', below: ['_runs/*/engines/'], may: ['list', 'read', 'write'] },
];

/**
 * Tells of the application what stages, what undoes runs and what vacuums, and gives what they ask there the rights that it needs: those of
 * jobs are the role's.
 */
export function connectSpark(
  scope: Construct,
  { begin, stop }: EnginePolicies,
  { Stage, Fail, Sweep }: Functions,
  props: SparkProps,
): void {
  const { applicationId, role, submit } = props;
  checkApplication(props.spec.name, applicationId);
  const program = new Asset(scope, 'SparkProgram', { path: sparkScript() });
  for (const one of [Stage, Fail, Sweep]) one.addEnvironment('STRATA_SPARK_APPLICATION', applicationId);
  Stage.addEnvironment('STRATA_SPARK_ROLE', role.roleArn);
  Stage.addEnvironment('STRATA_SPARK_SCRIPT', program.s3ObjectUrl);
  if (submit !== undefined) Stage.addEnvironment('STRATA_SPARK_SUBMIT', submit);
  // The names of its resources begin with a slash.
  const application = `arn:${Aws.PARTITION}:emr-serverless:${Aws.REGION}:${Aws.ACCOUNT_ID}:/applications/${applicationId}`;
  const jobs = `${application}/jobruns/*`;
  begin.addStatements(
    new PolicyStatement({ sid: 'Spark', actions: ['emr-serverless:StartJobRun'], resources: [application] }),
    new PolicyStatement({
      sid: 'SparkJobs',
      actions: ['emr-serverless:GetJobRun', 'emr-serverless:CancelJobRun'],
      resources: [jobs],
    }),
    new PolicyStatement({
      sid: 'SparkRole',
      actions: ['iam:PassRole'],
      resources: [role.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'emr-serverless.amazonaws.com' } },
    }),
  );
  stop.addStatements(
    new PolicyStatement({ sid: 'StopJobs', actions: ['emr-serverless:CancelJobRun'], resources: [jobs] }),
  );
  for (const policy of [begin, stop])
    acknowledgeResources(policy, [jobs], 'Jobs of the one application, whose names EMR gives them');
  // Roles are of no region, and pipelines may share one: under one name they would take away each other's rights.
  const policyName = `${props.lake.names.pipelineStack(props.spec.name)}-spark-${Aws.REGION}`;
  grantJobs(new Policy(scope, 'SparkJobs', { policyName }), program, props);
}

function grantJobs(policy: Policy, program: Asset, { lake, spec, role }: SparkProps): void {
  // Also the program of the deploy before, with which a run may have begun.
  const programs = `arn:${Aws.PARTITION}:s3:::${program.s3BucketName}/*`;
  policy.addStatements(new PolicyStatement({ sid: 'Program', actions: ['s3:GetObject'], resources: [programs] }));
  acknowledgeResources(policy, [programs], 'What the CDK deploys, under names of their contents');
  const others = [...new Set((spec.others ?? []).map(({ pipeline }) => pipeline))];
  for (const grant of INPUTS) grantObjects(policy, grant, lake, { pipelines: [spec.name, ...others], whose: '' });
  for (const grant of OUTPUTS) grantObjects(policy, grant, lake, { pipelines: [spec.name], whose: '' });
  const stack = Stack.of(policy);
  const read = glueArns(stack, lake.names, spec.name, ['gold']);
  const own = tableArn(stack, databaseName(lake.names, spec.name, 'gold'), '*__strata_*');
  const [catalog = '', database = ''] = read;
  policy.addStatements(
    new PolicyStatement({ sid: 'Tables', actions: ['glue:GetDatabase', 'glue:GetTable'], resources: [...read] }),
    new PolicyStatement({ sid: 'OwnTables', actions: ['glue:UpdateTable'], resources: [catalog, database, own] }),
  );
  acknowledgeResources(policy, [...read, own], 'Tables that runs show to Spark, whose names come with the runs');
  useKeys(policy, lake);
  policy.attachToRole(role);
}

/** Throws InvalidInput for what is no id of an application, such as its ARN or its name. */
export function checkApplication(pipeline: string, id: string): void {
  if (Token.isUnresolved(id) || /^[0-9a-z]{1,64}$/.test(id)) return;
  throw new InvalidInput(
    `pipeline ${pipeline}: spark.applicationId: got ${JSON.stringify(id)}; expected the id of an application of EMR Serverless, such as 00f5trm1fv0d3p09`,
  );
}
