import { App, RemovalPolicy, type Stack, Tags } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { checkNames, deploymentNames } from '../core/deployment-names.ts';
import { InvalidInput } from '../core/errors.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { FUNCTIONS, STATES } from '../core/states.ts';
import { visibleText } from '../core/visible.ts';
import { nameOfBundle } from './functions.ts';
import { type LakeOptions, LakeStack } from './lake-stack.ts';
import type { PipelineOptions } from './pipeline-props.ts';
import { PipelineStack } from './pipeline-stack.ts';
import { bundlesFor, compiledPipelines, medallionDefinition } from './project.ts';
import { readSettings, type Settings } from './settings.ts';

export type DeploymentProps = {
  readonly specs: readonly PipelineSpec[];
  /** The project's folder, in which `strata build` was called; default: where the CDK is called. */
  readonly folder?: string;
  /** The bundles of one architecture; default: those of the folder, by the architecture of each pipeline. */
  readonly bundles?: string;
  /** The text of the state machine; default: that of the package. */
  readonly definition?: string;
  /** With the context flag destroyData: removing the lake removes its data. */
  readonly destroyData?: boolean;
  /** What is other than the default about the lake; what it needs besides is made in its stack. */
  readonly lake?: (stack: Stack) => LakeOptions;
  /** The same for each pipeline. */
  readonly pipeline?: (stack: Stack, spec: PipelineSpec) => PipelineOptions;
};

export type Deployment = { readonly lake: LakeStack; readonly pipelines: readonly PipelineStack[] };

export type AppProps = Omit<DeploymentProps, 'specs' | 'bundles' | 'definition'> & {
  /** Default: a new one. */
  readonly app?: App;
};

/**
 * All that a project's bin/app.ts has to call: the stacks of every pipeline that `strata build` has compiled in the project,
 * with the context's settings. What is wrong with the project is said on stderr, and the process ends with 1.
 */
export function createApp({ app = new App(), ...props }: AppProps = {}): Deployment | undefined {
  try {
    return createDeployment(app, { ...props, specs: compiledPipelines(props.folder) });
  } catch (cause) {
    if (!(cause instanceof InvalidInput)) throw cause;
    console.error(visibleText(cause.message));
    process.exitCode = 1;
    return undefined;
  }
}

/**
 * The stacks of a deployment: one that keeps the lake, one for each pipeline. Throws InvalidInput for context that cannot
 * be read and for names that AWS would refuse.
 */
export function createDeployment(app: App, props: DeploymentProps): Deployment {
  const settings = readSettings(app.node);
  const names = deploymentNames(settings.deployment, 'context stage');
  checkNames(
    names,
    props.specs.map((spec) => spec.name),
    FUNCTIONS.map((name) => STATES[name].file),
  );
  const lake = createLakeStack(app, names.lakeStack, props, settings);
  const pipelines = props.specs.map((spec) => createPipelineStack(lake, spec, props, settings));
  Tags.of(app).add('strata:stage', names.deployment === '' ? 'default' : names.deployment);
  return { lake, pipelines };
}

function createLakeStack(app: App, id: string, props: DeploymentProps, settings: Settings): LakeStack {
  const { deployment, kms, nestDatabases, athenaScanLimitGb, adopt } = settings;
  return new LakeStack(app, id, {
    stackName: id,
    description: 'Strata: what stays (buckets, databases, the Athena workgroup)',
    ...(deployment === undefined ? {} : { deployment }),
    ...(kms ? { encryption: 'kms' } : {}),
    athenaScanLimitGb,
    adopt,
    nestDatabases,
    pipelines: props.specs.map((spec) => spec.name),
    removalPolicy: props.destroyData === true ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    ...(props.lake === undefined ? {} : { customize: props.lake }),
  });
}

function createPipelineStack(
  { lake }: LakeStack,
  spec: PipelineSpec,
  props: DeploymentProps,
  { alertEmails }: Settings,
): PipelineStack {
  const id = lake.names.pipelineStack(spec.name);
  const { bundles, folder, definition = medallionDefinition(), pipeline } = props;
  const stack = new PipelineStack(lake.node.root, id, {
    stackName: id,
    description: `Strata: what runs the pipeline ${spec.name}`,
    lake,
    spec,
    definition,
    alertEmails,
    customize: (own) => {
      const options = pipeline?.(own, spec) ?? {};
      const { architecture = Architecture.ARM_64 } = options;
      return { ...options, bundles: options.bundles ?? bundles ?? bundlesFor(nameOfBundle(architecture), folder) };
    },
  });
  Tags.of(stack).add('strata:pipeline', spec.name);
  return stack;
}
