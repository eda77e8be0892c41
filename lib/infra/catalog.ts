import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { ATHENA_RESULTS } from './buckets.ts';
import { KEPT } from './kept.ts';
import { bucketName, databaseName, LAYERS, type LakePlaces } from './places.ts';

/** The three databases of a pipeline. */
export function createDatabases(scope: Construct, lake: LakePlaces, pipeline: string, destroy: boolean): void {
  for (const layer of LAYERS) {
    const database = new CfnDatabase(scope, `Database-${pipeline}-${layer}`, {
      catalogId: Stack.of(scope).account,
      databaseInput: {
        name: databaseName(lake.names, pipeline, layer),
        description: `Tables of layer ${layer} of the pipeline ${pipeline}`,
        locationUri: `s3://${bucketName(lake, layer)}/${layer}/${pipeline}/`,
      },
    });
    database.applyRemovalPolicy(destroy ? RemovalPolicy.DESTROY : KEPT);
  }
}

export type WorkgroupProps = {
  readonly dataKey: IKey | undefined;
  readonly scanLimitGb: number;
  readonly destroy: boolean;
};

export function createWorkgroup(
  scope: Construct,
  lake: LakePlaces,
  { dataKey, scanLimitGb, destroy }: WorkgroupProps,
): void {
  const encryption =
    dataKey === undefined ? { encryptionOption: 'SSE_S3' } : { encryptionOption: 'SSE_KMS', kmsKey: dataKey.keyArn };
  const workgroup = new CfnWorkGroup(scope, 'Queries', {
    name: lake.names.workgroup,
    description: 'Queries of the lake; what a query may scan is limited',
    recursiveDeleteOption: true,
    workGroupConfiguration: {
      enforceWorkGroupConfiguration: true,
      publishCloudWatchMetricsEnabled: true,
      bytesScannedCutoffPerQuery: Math.round(scanLimitGb * 1_000_000_000),
      engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
      resultConfiguration: {
        outputLocation: `s3://${bucketName(lake, 'ops')}/${ATHENA_RESULTS}`,
        encryptionConfiguration: encryption,
      },
    },
  });
  // It holds what people have saved and asked.
  workgroup.applyRemovalPolicy(destroy ? RemovalPolicy.DESTROY : KEPT);
}

/** The rows that functions without an engine write, as Athena reads them. */
export function createAuditLog(scope: Construct, lake: LakePlaces, pipeline: string): CfnTable {
  const columns = ['function', 'event', 'run_id', 'detail'].map((name) => ({ name, type: 'string' }));
  const library = 'org.apache.hadoop.hive.ql.io.parquet';
  return new CfnTable(scope, 'AuditLog', {
    catalogId: Stack.of(scope).account,
    databaseName: databaseName(lake.names, pipeline, 'ops'),
    tableInput: {
      name: 'audit_log',
      description: 'What the starter, Fail and Notify did',
      tableType: 'EXTERNAL_TABLE',
      parameters: { classification: 'parquet' },
      storageDescriptor: {
        location: `s3://${bucketName(lake, 'ops')}/ops/${pipeline}/audit_log/`,
        columns: [{ name: 'at', type: 'timestamp' }, ...columns],
        inputFormat: `${library}.MapredParquetInputFormat`,
        outputFormat: `${library}.MapredParquetOutputFormat`,
        serdeInfo: { serializationLibrary: `${library}.serde.ParquetHiveSerDe` },
      },
    },
  });
}
