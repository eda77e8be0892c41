import { Stack } from 'aws-cdk-lib';
import { type IRole, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { acknowledge, acknowledgeResources } from './acknowledge.ts';
import { bucketArn, glueArns, type Lake, type Zone } from './lake.ts';
import type { FunctionName } from './steps.ts';

/** What a function may do with the objects below some prefixes of a zone. */
export type ObjectGrant = {
  readonly zone: Zone;
  /** Below `<zone>/<pipeline>/`; '' for all of it. */
  readonly below: readonly string[];
  readonly may: readonly ('read' | 'write' | 'remove' | 'list')[];
};

export type Grants = {
  readonly objects: readonly ObjectGrant[];
  readonly catalog?: 'read' | 'change';
};

const ALL = [''] as const;
/** Who reads also lists, since S3 tells only them that an object is not there. */
const list = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list'] });
const read = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read'] });
const write = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read', 'write'] });
const clear = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read', 'remove'] });
const keep = (zone: Zone): ObjectGrant => ({ zone, below: ALL, may: ['list', 'read', 'write', 'remove'] });

/**
 * What each function may do, beside writing its logs and traces. Only Commit changes the catalog, only Open looks into
 * it as well; the Starter sees no data. Starting executions and publishing alerts is granted where those are made.
 * Every worker writes to ops, where it renews the run's lock; Open, Finish and Fail remove what a run has left.
 */
export const GRANTS: Readonly<Record<FunctionName, Grants>> = {
  Open: { objects: [list('bronze'), clear('silver'), clear('gold'), keep('ops')], catalog: 'read' },
  PlanStage: { objects: [read('bronze'), read('silver'), read('gold'), write('ops')] },
  Stage: { objects: [read('bronze'), write('silver'), write('gold'), keep('ops')] },
  PlanMerge: { objects: [read('silver'), write('ops')] },
  Merge: { objects: [write('silver'), write('ops')] },
  Audit: { objects: [write('silver'), write('gold'), write('ops')] },
  Commit: { objects: [keep('silver'), keep('gold'), keep('ops')], catalog: 'change' },
  Finish: { objects: [clear('silver'), clear('gold'), keep('ops')] },
  Fail: { objects: [clear('silver'), clear('gold'), keep('ops')] },
  Notify: { objects: [{ zone: 'ops', below: ['_alerts/', '_audit/'], may: ['read', 'write'] }] },
  RunFailed: { objects: [] },
  Starter: { objects: [{ zone: 'ops', below: ['_events/', '_audit/'], may: ['read', 'write'] }] },
};

const OBJECT_ACTIONS = {
  read: ['s3:GetObject'],
  write: ['s3:PutObject', 's3:AbortMultipartUpload'],
  remove: ['s3:DeleteObject'],
  list: [],
} as const;

const CATALOG_READ = ['glue:GetDatabase', 'glue:GetTable'];
const CATALOG_ACTIONS = { read: CATALOG_READ, change: [...CATALOG_READ, 'glue:CreateTable', 'glue:UpdateTable'] };

/** Zones whose buckets a function may use, and is told. */
export function zonesOf(name: FunctionName): readonly Zone[] {
  return GRANTS[name].objects.map(({ zone }) => zone);
}

/** Grants a function's role what the table above says, each statement with its acknowledgement. */
export function grantAll(role: IRole, name: FunctionName, lake: Lake, pipeline: string): void {
  const policy = new Policy(role, 'Lake');
  const { objects, catalog } = GRANTS[name];
  for (const grant of objects) grantObjects(policy, grant, lake, pipeline);
  if (catalog !== undefined) grantCatalog(policy, catalog, lake, pipeline);
  if (objects.length > 0 && lake.dataKey !== undefined) {
    const actions = ['kms:Decrypt', 'kms:GenerateDataKey'];
    policy.addStatements(new PolicyStatement({ sid: 'Key', actions, resources: [lake.dataKey.keyArn] }));
  }
  grantTracing(policy);
  policy.attachToRole(role);
}

function grantObjects(policy: Policy, { zone, below, may }: ObjectGrant, { names }: Lake, pipeline: string): void {
  const bucket = bucketArn(names, zone);
  const prefixes = below.map((rest) => `${zone}/${pipeline}/${rest}`);
  const resources = prefixes.map((prefix) => `${bucket}/${prefix}*`);
  const actions: string[] = may.flatMap((what) => [...OBJECT_ACTIONS[what]]);
  // Only of bronze are versions read: an upload that was overwritten is still a file.
  if (zone === 'bronze' && may.includes('read')) actions.push('s3:GetObjectVersion');
  if (actions.length > 0) {
    policy.addStatements(new PolicyStatement({ sid: `Objects${zone}`, actions, resources }));
    acknowledgeResources(policy, resources, 'The objects of one pipeline in one zone; their names come with the data');
  }
  if (!may.includes('list')) return;
  const list = zone === 'bronze' ? ['s3:ListBucket', 's3:ListBucketVersions'] : ['s3:ListBucket'];
  policy.addStatements(
    new PolicyStatement({
      sid: `List${zone}`,
      actions: list,
      resources: [bucket],
      // A request for one object carries no prefix, and is told that there is none only who may list.
      conditions: { StringLikeIfExists: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } },
    }),
  );
}

function grantCatalog(policy: Policy, may: 'read' | 'change', { names }: Lake, pipeline: string): void {
  const resources = [...glueArns(Stack.of(policy), names, pipeline)];
  policy.addStatements(new PolicyStatement({ sid: 'Catalog', actions: CATALOG_ACTIONS[may], resources }));
  acknowledgeResources(policy, resources, "The tables of the pipeline's own databases, which its runs create");
}

/** X-Ray offers no resources to name. */
export function grantTracing(policy: Policy): void {
  const actions = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
  policy.addStatements(new PolicyStatement({ sid: 'Tracing', actions, resources: ['*'] }));
  acknowledge(policy, 'IAM5[Resource::*]', 'X-Ray has no resources that a policy could name');
}
