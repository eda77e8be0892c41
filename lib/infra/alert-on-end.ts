import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PipelineSpec } from '../core/spec.ts';
import type { Functions } from './functions.ts';
import type { PipelineMachine } from './state-machine.ts';

export type EndedProps = {
  readonly spec: PipelineSpec;
  readonly functions: Functions;
  readonly machine: PipelineMachine;
  readonly maintenance: PipelineMachine;
};

/**
 * An execution that times out or is stopped never reaches its own Fail state, nor does one that fails outside of a state's work. Notify
 * tells of each once, by a mark. What it is given here is lost to nobody when it fails: it goes to the dead letters.
 */
export function alertOnEnd(
  scope: Construct,
  { spec, functions, machine, maintenance }: EndedProps,
  deadLetters: IQueue,
): void {
  new Rule(scope, 'Ended', {
    description: `A run of the pipeline ${spec.name} has failed, timed out or was stopped`,
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [machine.arn, maintenance.arn] },
    },
    targets: [new LambdaTarget(functions.Notify, { deadLetterQueue: deadLetters })],
  });
  functions.Notify.configureAsyncInvoke({ onFailure: new SqsDestination(deadLetters) });
}
