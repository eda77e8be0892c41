import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { PipelineSpec } from '../core/spec.ts';
import { setFlags } from './flags.ts';
import { Pipeline } from './pipeline.ts';
import type { PipelineOptions, PipelineProps } from './pipeline-props.ts';
import { bucketName } from './places.ts';

export type PipelineStackProps = StackProps &
  PipelineProps & {
    /** Options that are constructs of this stack, such as a VPC that is looked up. */
    readonly customize?: (stack: Stack) => PipelineOptions;
  };

/** A pipeline in a stack of its own, whose outputs the commands on a laptop look for. */
export class PipelineStack extends Stack {
  readonly pipeline: Pipeline;

  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    setFlags(this.node);
    // The CDK leaves this id out of logical ones: they are those of a pipeline that was the stack itself.
    this.pipeline = new Pipeline(this, 'Default', { ...props, ...props.customize?.(this) });
    const outputs = {
      StateMachineArn: this.pipeline.stateMachine.stateMachineArn,
      MaintenanceStateMachineArn: this.pipeline.maintenance.stateMachineArn,
      TopicArn: this.pipeline.topic.topicArn,
      DeadLettersUrl: this.pipeline.deadLetters.queueUrl,
      // An output cannot be empty.
      EventsUrl: this.pipeline.events?.queueUrl ?? 'none',
      ...commandsFor(props),
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}

/** The first two things that one does with a pipeline. */
function commandsFor({ lake, spec }: { readonly lake: PipelineProps['lake']; readonly spec: PipelineSpec }) {
  const source = spec.sources[0]?.name ?? '<source>';
  const gold = spec.models.find((model) => model.layer === 'gold') ?? spec.models[0];
  const flag = lake.names.deployment === '' ? '' : ` --stage ${lake.names.deployment}`;
  const table = `${spec.name}_${gold?.layer}.${gold?.name}`;
  return {
    UploadCommand: `aws s3 cp <file> s3://${bucketName(lake, 'bronze')}/bronze/${spec.name}/${source}/`,
    QueryCommand: `npx strata query --athena${flag} "SELECT * FROM ${table} LIMIT 10"`,
  };
}
