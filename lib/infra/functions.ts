import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CfnRule, Duration, Fn, type RemovalPolicy, Size } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { BINDING_MISSING, type Architecture as BundleArchitecture } from '../core/bundle-folder.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { FUNCTIONS, type FunctionName, isStep, STATES, type StepCompute } from '../core/states.ts';
import { acknowledge } from './acknowledge.ts';
import { grantAll, zonesOf } from './permissions.ts';
import { bucketName, type LakePlaces } from './places.ts';
import { functionsOf } from './principals.ts';

export type Functions = Readonly<Record<FunctionName, LambdaFunction>>;

export type FunctionsProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  /** The bundles of one architecture: `worker`, `starter`, `fail`, ... */
  readonly bundles: string;
  readonly architecture: Architecture;
  readonly logs: LogSettings;
  /** null: outside of any VPC. */
  readonly network: Network | null;
};

/** Of every log group of a pipeline. */
export type LogSettings = { readonly retention: RetentionDays; readonly removalPolicy: RemovalPolicy };

export type Network = {
  readonly vpc: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups: readonly ISecurityGroup[];
};

/** One function for each Task state of the state machine, and the starter: Node 24, each with a role of its own. */
export function createFunctions(scope: Construct, props: FunctionsProps): Functions {
  refuseIncomplete(scope, props);
  const entries = FUNCTIONS.map((name) => [name, createFunction(scope, name, props)] as const);
  return Object.fromEntries(entries) as Record<FunctionName, LambdaFunction>;
}

/** The folder of a build that functions of an architecture run from. */
export function nameOfBundle(architecture: Architecture): BundleArchitecture {
  return architecture.name === Architecture.X86_64.name ? 'x64' : 'arm64';
}

/** Sizes of a function: the pipeline's own for steps on data, fixed ones for light functions. */
export function computeOf(spec: PipelineSpec, name: FunctionName): StepCompute {
  const own: Partial<PipelineSpec['compute']['steps']> = spec.compute.steps;
  // A pipeline that an earlier release compiled names no steps that have come since.
  return (isStep(name) ? own[name] : undefined) ?? STATES[name].compute;
}

function createFunction(scope: Construct, name: FunctionName, props: FunctionsProps): LambdaFunction {
  const { lake, spec, bundles, network } = props;
  const { names } = lake;
  const { file } = STATES[name];
  const functionName = names.lambda(spec.name, file);
  const role = new Role(scope, `${name}Role`, {
    assumedBy: functionsOf(scope),
    description: `What ${name} of the pipeline ${spec.name} may do`,
  });
  const logGroup = new LogGroup(scope, `${name}Logs`, {
    logGroupName: `/aws/lambda/${functionName}`,
    ...props.logs,
  });
  logGroup.grantWrite(role);
  grantAll(role, name, { lake, spec, inVpc: network !== null });
  const compute = computeOf(spec, name);
  const made = new LambdaFunction(scope, name, {
    functionName,
    description: `Strata: ${name} of the pipeline ${spec.name}`,
    runtime: Runtime.NODEJS_24_X,
    architecture: props.architecture,
    code: Code.fromAsset(join(bundles, isStep(name) ? 'worker' : file)),
    handler: isStep(name) ? `${file}.handler` : 'index.handler',
    role,
    logGroup,
    memorySize: compute.memoryMb,
    timeout: Duration.seconds(compute.timeoutSeconds),
    ephemeralStorageSize: Size.mebibytes(compute.tmpMb),
    ...(compute.reservedConcurrency === null ? {} : { reservedConcurrentExecutions: compute.reservedConcurrency }),
    ...(network === null ? {} : { ...network, securityGroups: [...network.securityGroups] }),
    tracing: Tracing.ACTIVE,
    environment: environmentOf(name, lake, spec, compute),
  });
  const tracing = role.node.findChild('DefaultPolicy');
  acknowledge(tracing, 'IAM5[Resource::*]', 'X-Ray has no resources that a policy could name');
  return made;
}

function environmentOf(
  name: FunctionName,
  lake: LakePlaces,
  spec: PipelineSpec,
  compute: StepCompute,
): Record<string, string> {
  const buckets = zonesOf(name).map((zone) => [`STRATA_${zone.toUpperCase()}_BUCKET`, bucketName(lake, zone)]);
  const { names } = lake;
  return {
    STRATA_PIPELINE: spec.name,
    ...Object.fromEntries(buckets),
    STRATA_DATABASE_PREFIX: names.databasePrefix,
    STRATA_TMP_MB: String(compute.tmpMb),
    POWERTOOLS_SERVICE_NAME: names.service(spec.name),
    POWERTOOLS_METRICS_NAMESPACE: 'Strata',
    NODE_OPTIONS: '--enable-source-maps',
  };
}

/** A template without DuckDB can be looked at, but CloudFormation refuses to deploy it. */
function refuseIncomplete(scope: Construct, { bundles, architecture }: FunctionsProps): void {
  if (!existsSync(join(bundles, 'worker', BINDING_MISSING))) return;
  const native = nameOfBundle(architecture);
  new CfnRule(scope, 'BundleIsComplete', {
    assertions: [
      {
        assert: Fn.conditionEquals('complete', `without DuckDB for linux-${native}`),
        assertDescription: `The functions were bundled without DuckDB for ${native}, which npm could not fetch: run npx strata build with a network that reaches npm, and deploy again`,
      },
    ],
  });
}
