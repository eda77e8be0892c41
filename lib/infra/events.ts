import { Stack } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PipelineSpec } from '../core/spec.ts';
import type { Functions } from './functions.ts';
import { bucketName, type LakePlaces } from './places.ts';
import { type PipelineMachine, stateMachineArn } from './state-machine.ts';

export type EventsProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  readonly functions: Functions;
  readonly machine: PipelineMachine;
  readonly maintenance: PipelineMachine;
  /** Whether files that land start runs. */
  readonly upload: boolean;
  /** Pipelines after whose runs this one runs. */
  readonly followed: readonly string[];
  /** What the starter reads; undefined: nothing starts runs by events. */
  readonly queue: IQueue | undefined;
  readonly deadLetters: IQueue;
};

const ENDED = 'Step Functions Execution Status Change';

/** Of events of one kind, that for which there is nothing else to look at. */
type Kind = { readonly source: string; readonly detailType: string; readonly detail: object };

/**
 * All events that a pipeline hears of, by one rule: a bus has 300. They go to the queue, and the starter deals with each; where there is no
 * queue, the ends of executions go to Notify. What cannot be delivered or dealt with is a dead letter.
 */
export function listenToEvents(scope: Construct, props: EventsProps): void {
  const { spec, functions, queue, deadLetters } = props;
  const kinds = [
    ...(props.upload ? [uploadsOf(props)] : []),
    ...(props.followed.length > 0 ? [successesOf(scope, props)] : []),
    endsOf(props),
  ];
  new Rule(scope, 'Events', {
    description: `What the pipeline ${spec.name} hears of: files that land, runs that it follows, runs that have failed`,
    eventPattern: anyOf(kinds),
    targets: [
      queue === undefined
        ? new LambdaTarget(functions.Notify, { deadLetterQueue: deadLetters })
        : new SqsQueue(queue, { deadLetterQueue: deadLetters }),
    ],
  });
  if (queue === undefined) functions.Notify.configureAsyncInvoke({ onFailure: new SqsDestination(deadLetters) });
}

/** No two kinds have a field of their details in common, so that none matches in the words of another. */
function anyOf(kinds: readonly Kind[]): EventPattern {
  const [first, ...others] = kinds.map(({ detail }) => detail);
  return {
    source: [...new Set(kinds.map(({ source }) => source))],
    detailType: [...new Set(kinds.map(({ detailType }) => detailType))],
    detail: others.length === 0 ? { ...first } : { $or: [first, ...others] },
  };
}

function uploadsOf({ lake, spec }: EventsProps): Kind {
  return {
    source: 'aws.s3',
    detailType: 'Object Created',
    detail: {
      bucket: { name: [bucketName(lake, 'bronze')] },
      object: { key: [{ prefix: `bronze/${spec.name}/` }] },
    },
  };
}

/** State machines of other stacks are found by their names, so that no stack holds another by its exports. */
function successesOf(scope: Construct, { lake, followed }: EventsProps): Kind {
  const arns = followed.map((pipeline) => stateMachineArn(Stack.of(scope), lake.names.stateMachine(pipeline)));
  return { source: 'aws.states', detailType: ENDED, detail: { status: ['SUCCEEDED'], stateMachineArn: arns } };
}

/**
 * An execution that times out or is stopped never reaches its own Fail state, nor does one that fails outside of a state's work. Each is
 * told of once, by a mark.
 */
function endsOf({ machine, maintenance }: EventsProps): Kind {
  const detail = { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [machine.arn, maintenance.arn] };
  return { source: 'aws.states', detailType: ENDED, detail };
}
