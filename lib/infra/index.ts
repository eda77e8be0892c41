/** What `<package>/cdk` is: constructs, the stacks that use them, and one call that makes an app of a project's pipelines. */

export type { Architecture as BundleArchitecture } from '../core/bundle-folder.ts';
export type { DeploymentNames } from '../core/deployment-names.ts';
export { InvalidInput } from '../core/errors.ts';
export type { Zone } from '../core/objects.ts';
export type { PipelineSpec } from '../core/spec.ts';
export type { FunctionName, StepName } from '../core/states.ts';
export type { AlarmChange, AlarmName, AlarmsOptions } from './alarms.ts';
export type { AppProps, Deployment, DeploymentProps } from './app.ts';
export { createApp, createDeployment } from './app.ts';
export type { BucketRules } from './buckets.ts';
export type { ILake, LakeAttributes, LakeProps } from './lake.ts';
export { Lake } from './lake.ts';
export type { LakeOptions, LakeStackProps } from './lake-stack.ts';
export { LakeStack } from './lake-stack.ts';
export type { ManagedPolicies } from './managed-policies.ts';
export type { OriginOptions } from './origins.ts';
export { Pipeline } from './pipeline.ts';
export type { PipelineOptions, PipelineProps } from './pipeline-props.ts';
export type { PipelineStackProps } from './pipeline-stack.ts';
export { PipelineStack } from './pipeline-stack.ts';
export type { GivenBuckets } from './places.ts';
export { bundlesFor, compiledPipeline, compiledPipelines } from './project.ts';
export type { ServingOptions } from './serving.ts';
export type { SparkOptions } from './spark.ts';
export type { ScheduledMaintenance, StartOn } from './triggers.ts';
