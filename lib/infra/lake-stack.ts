import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase } from 'aws-cdk-lib/aws-glue';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { type DeploymentNames, NO_PREFIX } from '../core/deployment-names.ts';
import { ZONES } from '../core/objects.ts';
import { ATHENA_RESULTS, createBuckets } from './buckets.ts';
import { bucketName, databaseName, LAYERS, type Lake } from './lake.ts';
import type { Settings } from './settings.ts';

export type LakeStackProps = StackProps & {
  readonly names: DeploymentNames;
  readonly settings: Settings;
  /** DeploymentNames of the pipelines that the lake has databases for. */
  readonly pipelines: readonly string[];
  /** Together with the context flag destroyData: removing the stack removes the data. Default false. */
  readonly destroyData?: boolean;
};

/** What stays: buckets, databases, the Athena workgroup, and the data's key where one is asked for. */
export class LakeStack extends Stack {
  readonly lake: Lake;

  constructor(scope: Construct, id: string, props: LakeStackProps) {
    const destroy = props.destroyData === true && props.settings.destroyData;
    super(scope, id, { terminationProtection: !destroy, ...props });
    const { names, settings, pipelines } = props;
    const dataKey = settings.kms ? this.createKey(destroy) : undefined;
    createBuckets(this, { names, pipelines, dataKey, destroy });
    for (const pipeline of pipelines) this.createDatabases(names, pipeline, destroy);
    this.createWorkgroup(names, settings, dataKey);
    this.lake = { names, dataKey };
    for (const zone of ZONES) {
      const output = `${zone[0]?.toUpperCase()}${zone.slice(1)}Bucket`;
      new CfnOutput(this, output, { value: bucketName(names, zone) });
    }
    new CfnOutput(this, 'Workgroup', { value: names.workgroup });
    new CfnOutput(this, 'DatabasePrefix', { value: names.databasePrefix === '' ? NO_PREFIX : names.databasePrefix });
  }

  private createKey(destroy: boolean): IKey {
    return new Key(this, 'DataKey', {
      description: 'Encrypts the data of the lake',
      enableKeyRotation: true,
      removalPolicy: destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    });
  }

  private createDatabases(names: DeploymentNames, pipeline: string, destroy: boolean): void {
    for (const layer of LAYERS) {
      const database = new CfnDatabase(this, `Database-${pipeline}-${layer}`, {
        catalogId: this.account,
        databaseInput: {
          name: databaseName(names, pipeline, layer),
          description: `Tables of layer ${layer} of the pipeline ${pipeline}`,
          locationUri: `s3://${bucketName(names, layer)}/${layer}/${pipeline}/`,
        },
      });
      database.applyRemovalPolicy(destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN);
    }
  }

  private createWorkgroup(names: DeploymentNames, settings: Settings, dataKey: IKey | undefined): void {
    const encryption =
      dataKey === undefined ? { encryptionOption: 'SSE_S3' } : { encryptionOption: 'SSE_KMS', kmsKey: dataKey.keyArn };
    new CfnWorkGroup(this, 'Queries', {
      name: names.workgroup,
      description: 'Queries of the lake; what a query may scan is limited',
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: Math.round(settings.athenaScanLimitGb * 1_000_000_000),
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${bucketName(names, 'ops')}/${ATHENA_RESULTS}`,
          encryptionConfiguration: encryption,
        },
      },
    });
  }
}
