import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnRule, Duration, Fn, type RemovalPolicy, Size, Stage } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Architecture, Code, Function as LambdaFunction, LayerVersion, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { BINDING_MISSING, type Architecture as BundleArchitecture } from '../core/bundle-folder.ts';
import { InvalidInput } from '../core/errors.ts';
import { functionsFor } from '../core/optional-states.ts';
import { roleOf } from '../core/roles.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { bundleOf, type FunctionName, isStep, STATES, type StepCompute, stateRow } from '../core/states.ts';
import { KEPT } from './kept.ts';
import { encryptLogs } from './lake-key.ts';
import { zonesOf } from './permissions.ts';
import { bucketName, type LakePlaces } from './places.ts';
import { acknowledgeTracing, type Roles } from './roles.ts';

type OfSome = 'Serve' | 'Gate' | 'AwaitDecision';

/** Some are there only where a pipeline serves, or has runs decided about. */
export type Functions = Readonly<Record<Exclude<FunctionName, OfSome>, LambdaFunction>> & {
  readonly [name in OfSome]?: LambdaFunction;
};

/** Where Lambda puts what layers bring. Source: docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html */
const LAYERS_FOLDER = '/opt';

export type FunctionsProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  readonly roles: Roles;
  /** The bundles of one architecture: `worker`, `starter`, `fail`, ... */
  readonly bundles: string;
  readonly architecture: Architecture;
  readonly logs: LogSettings;
  /** null: outside of any VPC. */
  readonly network: Network | null;
  /** Of the function that serves; left out: as the others. */
  readonly serving?: Network;
};

/** Of every log group of a pipeline. */
export type LogSettings = { readonly retention: RetentionDays; readonly removalPolicy: RemovalPolicy };

export type Network = {
  readonly vpc: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups: readonly ISecurityGroup[];
};

/** One function for each Task state of the state machine, and the starter: Node 24. */
export function createFunctions(scope: Construct, props: FunctionsProps): Functions {
  refuseIncomplete(scope, props);
  const pipeline = createSpecLayer(scope, props.spec);
  const entries = functionsFor(props.spec).map(
    (name) => [name, createFunction(scope, name, { ...props, pipeline })] as const,
  );
  acknowledgeTracing(props.roles);
  return Object.fromEntries(entries) as Functions;
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

type FunctionProps = FunctionsProps & { readonly pipeline: LayerVersion };

function createFunction(scope: Construct, name: FunctionName, props: FunctionProps): LambdaFunction {
  const { lake, spec, bundles } = props;
  const network = (stateRow(name).serving === true ? props.serving : undefined) ?? props.network;
  const { names } = lake;
  const { file } = STATES[name];
  const functionName = names.lambda(spec.name, file);
  const role = props.roles[roleOf(name)];
  if (role === undefined)
    throw new InvalidInput(`${scope.node.path}: no role for ${name}, which the pipeline does not need`);
  const logGroup = new LogGroup(scope, `${name}Logs`, {
    logGroupName: `/aws/lambda/${functionName}`,
    ...props.logs,
  });
  encryptLogs(logGroup, lake);
  logGroup.grantWrite(role);
  const compute = computeOf(spec, name);
  return new LambdaFunction(scope, name, {
    functionName,
    description: `Strata: ${name} of the pipeline ${spec.name}`,
    runtime: Runtime.NODEJS_24_X,
    architecture: props.architecture,
    code: Code.fromAsset(join(bundles, bundleOf(name).folder)),
    handler: `${bundleOf(name).module}.handler`,
    ...(stateRow(name).spec === true ? { layers: [props.pipeline] } : {}),
    // A run goes on with the versions that it began with. Those of a deployment that is undone go: Lambda publishes nothing that is as
    // its last version is, so that the same deployment could not be repeated. Source: docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
    currentVersionOptions: { removalPolicy: KEPT },
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
    ...(stateRow(name).spec === true ? { STRATA_SPECS: `${LAYERS_FOLDER}/${SPECS}` } : {}),
    POWERTOOLS_SERVICE_NAME: names.service(spec.name),
    POWERTOOLS_METRICS_NAMESPACE: 'Strata',
    NODE_OPTIONS: '--enable-source-maps',
  };
}

const SPECS = 'specs';

/**
 * The compiled pipeline, apart from the code that all pipelines share: who changes a pipeline deploys that one. A version of a function keeps
 * the layer that it was published with, also when that is deleted.
 */
function createSpecLayer(scope: Construct, spec: PipelineSpec): LayerVersion {
  const folder = join(assemblyOf(scope), SPECS, spec.name);
  mkdirSync(join(folder, SPECS), { recursive: true });
  writeFileSync(join(folder, SPECS, `${spec.name}.json`), JSON.stringify(spec));
  return new LayerVersion(scope, 'Spec', {
    description: `The compiled pipeline ${spec.name}`,
    code: Code.fromAsset(folder),
  });
}

/** The folder that the app is synthesized into. */
function assemblyOf(scope: Construct): string {
  const stage = Stage.of(scope);
  if (stage === undefined) throw new InvalidInput(`${scope.node.path} is in no app`);
  return stage.assetOutdir;
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
