import { Arn, Aws, type Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { DeploymentNames } from '../core/deployment-names.ts';
import type { Zone } from '../core/objects.ts';

export const LAYERS = ['silver', 'gold', 'ops'] as const;

/**
 * The lake as its pipelines see it. DeploymentNames are the same in both kinds of stack, so that no stack holds another by its
 * exports.
 */
export type Lake = {
  readonly names: DeploymentNames;
  /** The customer-managed key of the data, if the deployment asked for one. */
  readonly dataKey: IKey | undefined;
};

/** Unique in the world, because it holds account and region. */
export function bucketName(names: DeploymentNames, zone: Zone | 'logs'): string {
  return `${names.workgroup}-${zone}-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
}

export function bucketArn(names: DeploymentNames, zone: Zone): string {
  return `arn:${Aws.PARTITION}:s3:::${bucketName(names, zone)}`;
}

export function databaseName(names: DeploymentNames, pipeline: string, layer: (typeof LAYERS)[number]): string {
  return `${names.databasePrefix}${pipeline}_${layer}`;
}

/** The catalog itself, the databases of a pipeline, and the tables in them: Glue asks for all three. */
export function glueArns(stack: Stack, names: DeploymentNames, pipeline: string): readonly string[] {
  const glue = (resource: string, resourceName?: string): string =>
    Arn.format({ service: 'glue', resource, ...(resourceName === undefined ? {} : { resourceName }) }, stack);
  return [
    glue('catalog'),
    ...LAYERS.flatMap((layer) => {
      const database = databaseName(names, pipeline, layer);
      return [glue('database', database), glue('table', `${database}/*`)];
    }),
  ];
}
