import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CfnRule, Duration, Fn, RemovalPolicy, Size } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { PipelineSpec } from '../core/spec.ts';
import { FUNCTIONS, type FunctionName, isStep, STATES, type StepCompute } from '../core/states.ts';
import { acknowledge } from './acknowledge.ts';
import { bucketName, type Lake } from './lake.ts';
import { grantAll, zonesOf } from './permissions.ts';

export type Functions = Readonly<Record<FunctionName, LambdaFunction>>;

export type FunctionsProps = {
  readonly lake: Lake;
  readonly spec: PipelineSpec;
  /** The bundles of one architecture: `worker`, `starter`, `fail`, ... */
  readonly bundles: string;
};

/** What a worker's folder holds when its native code could not be fetched; see lib/bundle. */
const BINDING_MISSING = 'BINDING-MISSING';

/** One function for each Task state of the state machine, and the starter: arm64, Node 24, each with a role of its own. */
export function createFunctions(scope: Construct, props: FunctionsProps): Functions {
  refuseIncomplete(scope, props.bundles);
  const entries = FUNCTIONS.map((name) => [name, createFunction(scope, name, props)] as const);
  return Object.fromEntries(entries) as Record<FunctionName, LambdaFunction>;
}

/** Sizes of a function: the pipeline's own for steps on data, fixed ones for light functions. */
export function computeOf(spec: PipelineSpec, name: FunctionName): StepCompute {
  return isStep(name) ? spec.compute.steps[name] : STATES[name].compute;
}

function createFunction(scope: Construct, name: FunctionName, { lake, spec, bundles }: FunctionsProps): LambdaFunction {
  const { names } = lake;
  const { file } = STATES[name];
  const functionName = names.lambda(spec.name, file);
  const role = new Role(scope, `${name}Role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `What ${name} of the pipeline ${spec.name} may do`,
  });
  const logGroup = new LogGroup(scope, `${name}Logs`, {
    logGroupName: `/aws/lambda/${functionName}`,
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  logGroup.grantWrite(role);
  grantAll(role, name, lake, spec.name);
  const compute = computeOf(spec, name);
  const made = new LambdaFunction(scope, name, {
    functionName,
    description: `Strata: ${name} of the pipeline ${spec.name}`,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    code: Code.fromAsset(join(bundles, isStep(name) ? 'worker' : file)),
    handler: isStep(name) ? `${file}.handler` : 'index.handler',
    role,
    logGroup,
    memorySize: compute.memoryMb,
    timeout: Duration.seconds(compute.timeoutSeconds),
    ephemeralStorageSize: Size.mebibytes(compute.tmpMb),
    ...(compute.reservedConcurrency === null ? {} : { reservedConcurrentExecutions: compute.reservedConcurrency }),
    tracing: Tracing.ACTIVE,
    environment: environmentOf(name, lake, spec, compute),
  });
  const tracing = role.node.findChild('DefaultPolicy');
  acknowledge(tracing, 'IAM5[Resource::*]', 'X-Ray has no resources that a policy could name');
  return made;
}

function environmentOf(
  name: FunctionName,
  { names }: Lake,
  spec: PipelineSpec,
  compute: StepCompute,
): Record<string, string> {
  const buckets = zonesOf(name).map((zone) => [`STRATA_${zone.toUpperCase()}_BUCKET`, bucketName(names, zone)]);
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
function refuseIncomplete(scope: Construct, bundles: string): void {
  if (!existsSync(join(bundles, 'worker', BINDING_MISSING))) return;
  new CfnRule(scope, 'BundleIsComplete', {
    assertions: [
      {
        assert: Fn.conditionEquals('complete', 'without DuckDB for linux-arm64'),
        assertDescription:
          'The functions were bundled without DuckDB for arm64, which npm could not fetch: run npx strata build with a network that reaches npm, and deploy again',
      },
    ],
  });
}
