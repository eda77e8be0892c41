import {
  type CloudFormationClient,
  paginateDescribeStacks,
  paginateListStackResources,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { type GlueClient, paginateGetDatabases } from '@aws-sdk/client-glue';
import { awsFailure } from '../adapters/aws/errors.ts';
import type { DeploymentNames } from '../core/deployment-names.ts';
import { InvalidInput } from '../core/errors.ts';

export type DeployedDeps = { readonly cloudFormation: CloudFormationClient; readonly glue: GlueClient };

/** What of a deployment is in the account, whether or not a project still has it. */
export type Deployed = {
  /** undefined: there is no lake, or one whose first deploy was rolled back. */
  readonly lake: DeployedStack | undefined;
  /** By pipeline. */
  readonly pipelines: ReadonlyMap<string, DeployedStack>;
  /** Databases of pipelines, by pipeline, whether or not a stack has them. */
  readonly databases: ReadonlyMap<string, readonly FoundDatabase[]>;
};

export type DeployedStack = {
  readonly stack: string;
  readonly status: string;
  readonly changed: Date | undefined;
  /** ARNs of its state machines: of runs, and of maintenance. */
  readonly machines: readonly string[];
};
/** `managed`: the lake's stack has it. */
export type FoundDatabase = { readonly name: string; readonly managed: boolean };

/** As the lake describes its databases; Glue keeps it when the stack is gone. */
const DESCRIBED = /^Tables of layer \w+ of the pipeline (\w+)$/;

/**
 * The stacks of a deployment by their tags, and its databases by their descriptions. Throws InvalidInput when the caller may not
 * ask; it needs cloudformation:DescribeStacks, cloudformation:ListStackResources and glue:GetDatabases.
 */
export async function findDeployed(deps: DeployedDeps, names: DeploymentNames): Promise<Deployed> {
  const stacks = await stacksOf(deps.cloudFormation, names);
  const lake = stacks.find(({ StackName }) => StackName === names.lakeStack);
  const managed = lake === undefined ? new Set<string>() : await databasesIn(deps.cloudFormation, names.lakeStack);
  return {
    lake: lake === undefined ? undefined : deployedStack(lake),
    pipelines: pipelinesIn(stacks),
    databases: await databasesOf(deps.glue, names, managed),
  };
}

/** The stacks of pipelines alone, by pipeline; it needs cloudformation:DescribeStacks. */
export async function findPipelines(
  { cloudFormation }: Pick<DeployedDeps, 'cloudFormation'>,
  names: DeploymentNames,
): Promise<Deployed['pipelines']> {
  return pipelinesIn(await stacksOf(cloudFormation, names));
}

function pipelinesIn(stacks: readonly Stack[]): Deployed['pipelines'] {
  return new Map(
    stacks.flatMap((stack) => {
      const pipeline = tagOf(stack, 'strata:pipeline');
      return pipeline === undefined ? [] : [[pipeline, deployedStack(stack)] as const];
    }),
  );
}

async function stacksOf(client: CloudFormationClient, names: DeploymentNames): Promise<readonly Stack[]> {
  const stage = names.deployment === '' ? 'default' : names.deployment;
  const found: Stack[] = [];
  await asking('cloudformation:DescribeStacks', 'all stacks', async () => {
    for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) found.push(...Stacks);
  });
  return found.filter((stack) => isThere(stack) && tagOf(stack, 'strata:stage') === stage);
}

/** A stack that never came to be is none: the next deploy replaces it. */
function isThere({ StackStatus }: Stack): boolean {
  return !['ROLLBACK_COMPLETE', 'REVIEW_IN_PROGRESS', 'DELETE_COMPLETE'].includes(String(StackStatus));
}

function tagOf({ Tags = [] }: Stack, key: string): string | undefined {
  return Tags.find(({ Key }) => Key === key)?.Value;
}

function deployedStack({
  StackName = '',
  StackStatus,
  LastUpdatedTime,
  CreationTime,
  Outputs = [],
}: Stack): DeployedStack {
  const machines = Outputs.filter(({ OutputKey = '' }) => MACHINES.includes(OutputKey));
  return {
    stack: StackName,
    status: String(StackStatus),
    changed: LastUpdatedTime ?? CreationTime,
    machines: machines.map(({ OutputValue = '' }) => OutputValue),
  };
}

/** Outputs of a pipeline's stack. */
export const MACHINES: readonly string[] = ['StateMachineArn', 'MaintenanceStateMachineArn'];

async function databasesIn(client: CloudFormationClient, stack: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  await asking('cloudformation:ListStackResources', `stack ${stack}`, async () => {
    for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
      for (const { ResourceType, PhysicalResourceId = '' } of page.StackResourceSummaries ?? []) {
        if (ResourceType === 'AWS::Glue::Database') found.add(PhysicalResourceId);
      }
    }
  });
  return found;
}

async function databasesOf(
  client: GlueClient,
  { databasePrefix }: DeploymentNames,
  managed: ReadonlySet<string>,
): Promise<Deployed['databases']> {
  const found = new Map<string, FoundDatabase[]>();
  await asking('glue:GetDatabases', 'the catalog', async () => {
    for await (const { DatabaseList = [] } of paginateGetDatabases({ client }, {})) {
      for (const { Name = '', Description = '' } of DatabaseList) {
        const [, pipeline] = DESCRIBED.exec(Description) ?? [];
        if (pipeline === undefined || !Name.startsWith(`${databasePrefix}${pipeline}_`)) continue;
        const before = found.get(pipeline) ?? [];
        found.set(pipeline, [...before, { name: Name, managed: managed.has(Name) }]);
      }
    }
  });
  return found;
}

async function asking(action: string, resource: string, ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (cause) {
    if (cause instanceof Error && /Region is missing/.test(cause.message)) {
      throw new InvalidInput('no AWS region: set AWS_REGION, or a region in the profile of AWS_PROFILE', [], { cause });
    }
    throw awsFailure({ action, resource }, cause);
  }
}
