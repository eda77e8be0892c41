import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { type IRole, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type Zone, zoneOf } from '../core/objects.ts';
import { functionsFor } from '../core/optional-states.ts';
import { grantsOf, type RoleName } from '../core/roles.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { type FunctionName, type ObjectGrant, stateRow } from '../core/states.ts';
import { acknowledge, acknowledgeResources } from './acknowledge.ts';
import { givenKeys, keysOfObjects } from './keys.ts';
import { bucketArn, glueArns, type LakePlaces } from './places.ts';

const OBJECT_ACTIONS = {
  read: ['s3:GetObject'],
  write: ['s3:PutObject', 's3:AbortMultipartUpload'],
  remove: ['s3:DeleteObject'],
  list: [],
} as const;

const CATALOG_READ = ['glue:GetDatabase', 'glue:GetTable'];
const CATALOG_ACTIONS = {
  find: CATALOG_READ,
  look: [...CATALOG_READ, 'glue:GetTables'],
  change: [...CATALOG_READ, 'glue:CreateTable', 'glue:UpdateTable'],
  tend: [...CATALOG_READ, 'glue:GetTables', 'glue:CreateTable', 'glue:UpdateTable'],
};

/** Zones whose buckets a function may use, and is told. */
export function zonesOf(name: FunctionName): readonly Zone[] {
  return [...new Set(stateRow(name).objects.map(({ zone }) => zoneOf(zone)))];
}

/** Whose data functions work on, and where they run. */
export type Workplace = {
  readonly lake: LakePlaces;
  readonly spec: Pick<PipelineSpec, 'name' | 'others' | 'serve' | 'promote'>;
  readonly inVpc: boolean;
  /** The function that serves is in a VPC of its own. */
  readonly servesInVpc?: boolean;
};

/** Grants a role what the table of states says of its functions, each statement with its acknowledgement. */
export function grantAll(role: IRole, name: RoleName, { lake, spec, inVpc, servesInVpc = false }: Workplace): void {
  const policy = new Policy(role, 'Lake');
  const { objects, others, everyones, catalog, seesExecutions } = grantsOf(name, functionsFor(spec));
  // Also what is exported, where nothing is any more: a run may have begun before the deploy, and would else be refused when it commits.
  for (const grant of objects) grantObjects(policy, grant, lake, { pipelines: [spec.name], whose: '' });
  for (const grant of others) grantOthers(policy, grant, lake, spec);
  for (const grant of everyones) grantObjects(policy, grant, lake, { pipelines: ['*'], whose: 'all' });
  if (catalog.length > 0) grantCatalog(policy, catalog, lake, spec.name);
  if (catalog.includes('look')) lookAtOthers(policy, lake, spec);
  if (seesExecutions) lookAtExecutions(policy, lake, spec.name);
  if (objects.length > 0) useKeys(policy, lake);
  if (inVpc || (servesInVpc && name === 'Serve')) grantNetwork(policy);
  grantTracing(policy);
  policy.attachToRole(role);
}

/** Of other pipelines, in the layers of which tables are read. */
function grantOthers(policy: Policy, grant: ObjectGrant, lake: LakePlaces, { others = [] }: Workplace['spec']): void {
  const read = others.filter(({ layer }) => grant.zone === 'ops' || grant.zone === layer);
  const pipelines = [...new Set(read.map(({ pipeline }) => pipeline))];
  if (pipelines.length > 0) grantObjects(policy, grant, lake, { pipelines, whose: 'others' });
}

type Owners = { readonly pipelines: readonly string[]; readonly whose: '' | 'others' | 'all' };

/** `pipelines`: whose. No two grants of a policy for one zone may have one `may`. */
export function grantObjects(
  policy: Policy,
  { zone, below, may }: ObjectGrant,
  lake: LakePlaces,
  { pipelines, whose }: Owners,
): void {
  const bucket = bucketArn(lake, zoneOf(zone));
  const prefixes = pipelines.flatMap((pipeline) => below.map((rest) => `${zone}/${pipeline}/${rest}`));
  const resources = prefixes.map((prefix) => `${bucket}/${prefix}*`);
  const actions: string[] = may.flatMap((what) => [...OBJECT_ACTIONS[what]]);
  // Only of bronze are versions read: an upload that was overwritten is still a file.
  if (zone === 'bronze' && may.includes('read')) actions.push('s3:GetObjectVersion');
  if (actions.length > 0) {
    // Within a policy no two statements may have one name.
    const part = below.includes('') ? '' : `Below${may.join('')}`;
    policy.addStatements(new PolicyStatement({ sid: `Objects${zone}${part}${whose}`, actions, resources }));
    acknowledgeResources(policy, resources, 'The objects of one pipeline in one zone; their names come with the data');
  }
  if (!may.includes('list')) return;
  // Which pipelines there are, say the folders of the zone.
  const names = whose === 'all' ? [`${zone}/`] : [];
  const list = zone === 'bronze' ? ['s3:ListBucket', 's3:ListBucketVersions'] : ['s3:ListBucket'];
  policy.addStatements(
    new PolicyStatement({
      sid: `List${zone}${whose}`,
      actions: list,
      resources: [bucket],
      // A request for one object carries no prefix, and is told that there is none only who may list.
      conditions: { StringLikeIfExists: { 's3:prefix': [...names, ...prefixes.map((prefix) => `${prefix}*`)] } },
    }),
  );
}

function grantCatalog(
  policy: Policy,
  may: readonly (keyof typeof CATALOG_ACTIONS)[],
  { names }: LakePlaces,
  pipeline: string,
): void {
  const resources = [...glueArns(Stack.of(policy), names, pipeline)];
  const actions = [...new Set(may.flatMap((one) => CATALOG_ACTIONS[one]))];
  policy.addStatements(new PolicyStatement({ sid: 'Catalog', actions, resources }));
  acknowledgeResources(policy, resources, "The tables of the pipeline's own databases, which its runs create");
}

function lookAtOthers(policy: Policy, { names }: LakePlaces, { others = [] }: Workplace['spec']): void {
  const pipelines = [...new Set(others.map(({ pipeline }) => pipeline))];
  if (pipelines.length === 0) return;
  const all = pipelines.flatMap((pipeline) => glueArns(Stack.of(policy), names, pipeline, ['silver', 'gold']));
  const resources = [...new Set(all)];
  policy.addStatements(new PolicyStatement({ sid: 'CatalogOthers', actions: CATALOG_READ, resources }));
  acknowledgeResources(policy, resources, 'The tables of pipelines that gold reads, as they come and go');
}

function lookAtExecutions(policy: Policy, { names }: LakePlaces, pipeline: string): void {
  const resourceName = `${names.stateMachine(pipeline)}:*`;
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  const resources = [
    Arn.format({ service: 'states', resource: 'execution', resourceName, arnFormat }, Stack.of(policy)),
  ];
  policy.addStatements(new PolicyStatement({ sid: 'Executions', actions: ['states:DescribeExecution'], resources }));
  acknowledgeResources(policy, resources, 'The executions of this machine, whose names come with the runs');
}

/** Whoever reads or writes objects uses their keys too. */
export function useKeys(policy: Policy, lake: LakePlaces): void {
  const statement = keysOfObjects(policy, lake);
  statement.sid = 'Keys';
  policy.addStatements(statement, ...givenKeys(lake));
  acknowledgeResources(policy, statement.resources, 'By way of S3, for the buckets of this lake');
}

/** Source: docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html, "Required IAM permissions" */
export function grantNetwork(policy: Policy): void {
  const actions = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ];
  policy.addStatements(new PolicyStatement({ sid: 'Network', actions, resources: ['*'] }));
}

/** X-Ray offers no resources to name. */
export function grantTracing(policy: Policy): void {
  const actions = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
  policy.addStatements(new PolicyStatement({ sid: 'Tracing', actions, resources: ['*'] }));
  acknowledge(policy, 'IAM5[Resource::*]', 'X-Ray and network interfaces have no resources that a policy could name');
}
