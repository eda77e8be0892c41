import { type App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { checkNames, deploymentNames } from '../core/deployment-names.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { FUNCTIONS, STATES } from '../core/states.ts';
import { LakeStack } from './lake-stack.ts';
import { PipelineStack } from './pipeline-stack.ts';
import { readSettings } from './settings.ts';

export type DeploymentProps = {
  readonly specs: readonly PipelineSpec[];
  /** The bundles of one architecture, as lib/bundle builds them. */
  readonly bundles: string;
  /** The text of statemachines/medallion.asl.json. */
  readonly definition: string;
  /** With the context flag destroyData: removing the lake removes its data. */
  readonly destroyData?: boolean;
};

/** The CDK's better defaults, which it keeps behind flags for the sake of older apps. */
const FLAGS = ['@aws-cdk/aws-iam:minimizePolicies', '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy'];

export type Deployment = { readonly lake: LakeStack; readonly pipelines: readonly PipelineStack[] };

/**
 * The stacks of a deployment: one that keeps the lake, one for each pipeline. cdk-nag checks all of them. Throws
 * InvalidInput for context that cannot be read and for names that AWS would refuse.
 */
export function createDeployment(app: App, props: DeploymentProps): Deployment {
  for (const flag of FLAGS) app.node.setContext(flag, true);
  const settings = readSettings(app.node);
  const names = deploymentNames(settings.deployment, 'context stage');
  const pipelines = props.specs.map((spec) => spec.name);
  checkNames(
    names,
    pipelines,
    FUNCTIONS.map((name) => STATES[name].file),
  );
  const lake = new LakeStack(app, names.lakeStack, {
    stackName: names.lakeStack,
    description: 'Strata: what stays (buckets, databases, the Athena workgroup)',
    names,
    settings,
    pipelines,
    destroyData: props.destroyData ?? false,
  });
  const stacks = props.specs.map((spec) => {
    const id = names.pipelineStack(spec.name);
    const stack = new PipelineStack(app, id, {
      stackName: id,
      description: `Strata: what runs the pipeline ${spec.name}`,
      lake: lake.lake,
      settings,
      spec,
      bundles: props.bundles,
      definition: props.definition,
    });
    stack.addStackDependency(lake);
    Tags.of(stack).add('strata:pipeline', spec.name);
    return stack;
  });
  Tags.of(app).add('strata:stage', names.deployment === '' ? 'default' : names.deployment);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { lake, pipelines: stacks };
}
