import { Arn, Aws, type Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { DeploymentNames } from '../core/deployment-names.ts';
import type { Zone } from '../core/objects.ts';

export const LAYERS = ['silver', 'gold', 'ops'] as const;

/** Buckets that exist already, by zone. */
export type GivenBuckets = { readonly [zone in Zone]?: IBucket };

/**
 * The lake as its pipelines see it. What it makes is found by name, and names are the same in all stacks, so that no stack
 * holds another by its exports.
 */
export type LakePlaces = {
  readonly names: DeploymentNames;
  readonly given: GivenBuckets;
  /** Keys that were given, with which objects are encrypted, and which whoever uses them has to use too. */
  readonly keys: readonly IKey[];
  /** The lake's own key, where it encrypts data and logs. */
  readonly ownKey: IKey | undefined;
};

/** Unique in the world, because it holds account and region. */
export function ownBucketName(names: DeploymentNames, zone: Zone | 'logs'): string {
  return `${names.workgroup}-${zone}-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
}

export function bucketName({ names, given }: LakePlaces, zone: Zone): string {
  return given[zone]?.bucketName ?? ownBucketName(names, zone);
}

export function bucketArn({ names, given }: LakePlaces, zone: Zone): string {
  return given[zone]?.bucketArn ?? `arn:${Aws.PARTITION}:s3:::${ownBucketName(names, zone)}`;
}

export function databaseName(names: DeploymentNames, pipeline: string, layer: (typeof LAYERS)[number]): string {
  return `${names.databasePrefix}${pipeline}_${layer}`;
}

/** The catalog itself, the databases of a pipeline, and the tables in them: Glue asks for all three. */
export function glueArns(
  stack: Stack,
  names: DeploymentNames,
  pipeline: string,
  layers: readonly (typeof LAYERS)[number][] = LAYERS,
): readonly string[] {
  const glue = (resource: string, resourceName?: string): string =>
    Arn.format({ service: 'glue', resource, ...(resourceName === undefined ? {} : { resourceName }) }, stack);
  return [
    glue('catalog'),
    ...layers.flatMap((layer) => {
      const database = databaseName(names, pipeline, layer);
      return [glue('database', database), glue('table', `${database}/*`)];
    }),
  ];
}

export function tableArn(stack: Stack, database: string, table: string): string {
  return Arn.format({ service: 'glue', resource: 'table', resourceName: `${database}/${table}` }, stack);
}
