import type { RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Architecture } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { PipelineSpec } from '../core/spec.ts';
import type { AlarmsOptions } from './alarms.ts';
import type { ILake } from './lake.ts';
import type { OriginOptions } from './origins.ts';
import type { ServingOptions } from './serving.ts';
import type { SparkOptions } from './spark.ts';
import type { StartOn } from './triggers.ts';

/** What may be other than the default. */
export type PipelineOptions = {
  /** The folder of the bundled functions; default: what `strata build` has made in the folder where the CDK is called. */
  readonly bundles?: string;
  /** The text of the state machine; default: that of the package. */
  readonly definition?: string;
  /** Of the functions; default: arm64. */
  readonly architecture?: Architecture;
  /** Who is told of what goes wrong; default: a topic that is made, encrypted by the lake's key of alerts. */
  readonly topic?: ITopic;
  /** E-mail addresses that hear of it; each has to confirm. Default: none. */
  readonly alertEmails?: readonly string[];
  /** false: no alarms. Default: one for each thing that someone has to look at, each telling the topic. */
  readonly alarms?: AlarmsOptions | false;
  /** What starts runs beside people; default: uploads, and the schedule if the pipeline declares one. */
  readonly startOn?: StartOn;
  /** false: no page is written after runs. Default: `ops/<pipeline>/_page/index.html`, which `strata report --aws` takes. */
  readonly page?: boolean;
  /** Where events go that cannot be delivered; default: a queue that is made. */
  readonly deadLetters?: IQueue;
  /** Where the functions run; default: outside of any VPC. */
  readonly vpc?: IVpc;
  /** Default: private subnets with a way out. They need one to S3, Glue, KMS, SNS, Step Functions, CloudWatch and X-Ray. */
  readonly vpcSubnets?: SubnetSelection;
  /** Default with a VPC: one that is made, which lets everything out and nothing in. */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** By source: when those are fetched or consumed that have their files from elsewhere. Default: never. */
  readonly origins?: { readonly [source: string]: OriginOptions };
  /** Of a pipeline that serves tables: where the function is that does, and its secret. Default: as the others, and the secret by its name. */
  readonly serve?: ServingOptions;
  /** Of a pipeline with texts for Spark: where jobs run that compute them. Default: nowhere, and runs that need it fail with words. */
  readonly spark?: SparkOptions;
  /** How long logs stay; default: a month. */
  readonly logRetention?: RetentionDays;
  /** Of logs, which hold no data of the lake; default: DESTROY. */
  readonly removalPolicy?: RemovalPolicy;
};

export type PipelineProps = PipelineOptions & {
  readonly lake: ILake;
  /** What `compiledPipeline` answers. */
  readonly spec: PipelineSpec;
};
