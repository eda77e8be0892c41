import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { createGlueCatalog } from '../../lib/adapters/catalog/glue.ts';
import { showInGlue } from '../../lib/adapters/engines/glue-tables.ts';
import { createTrinoEngine } from '../../lib/adapters/engines/trino.ts';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { startMoto } from '../aws/moto-server.ts';
import type { Lake } from './lakes.ts';
import type { Properties, Trino } from './trino-server.ts';

const REGION = 'eu-central-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** S3 and Glue, on this machine alone, in which lakes lie as those that are deployed do. */
export type Cloud = AsyncDisposable & {
  /** By which a Trino finds what lies there, as Athena does. */
  readonly catalog: Properties;
  /** A lake of the pipelines in a folder, and of its own: what Strata takes of it to tables is what functions do. */
  open(name: string, pipeline: string, pipelines: string, trino: Trino): Promise<Lake>;
};

export async function startCloud(folder: string): Promise<Cloud> {
  const { endpoint, stop } = await startMoto();
  const given = { endpoint, region: REGION, credentials: CREDENTIALS };
  const s3 = new S3Client({ ...given, forcePathStyle: true, maxAttempts: 1 });
  const glue = new GlueClient(given);
  return {
    catalog: catalogAt(endpoint),
    async open(name, pipeline, pipelines, trino) {
      const local = await openLocalLake({
        root: join(folder, name),
        pipelines,
        log: SILENT,
        memoryBytes: 500e6,
        threads: 2,
      });
      await local.make();
      const { scratch } = local.deps.settings;
      mkdirSync(scratch, { recursive: true });
      const buckets = { bronze: `${name}-bronze`, silver: `${name}-silver`, gold: `${name}-gold`, ops: `${name}-ops` };
      for (const Bucket of Object.values(buckets))
        await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }));
      const databasePrefix = `${name.replaceAll('-', '_')}_`;
      for (const layer of ['silver', 'gold', 'ops'])
        await glue.send(
          new CreateDatabaseCommand({ DatabaseInput: { Name: `${databasePrefix}${pipeline}_${layer}` } }),
        );
      const store = createS3Store({ client: s3, buckets, scratch });
      const codec = { parse: parseMetadata, render: renderMetadata };
      const shown = showInGlue({ client: glue, databasePrefix, pipeline });
      const [database = ''] = shown.place;
      const trinoEngine = createTrinoEngine({ address: trino.address, catalog: 'glue', schema: database });
      const engine = { ...trinoEngine, ...shown, place: ['glue', database] };
      const sqlEngine: StepDeps['sqlEngine'] = (asked) => (asked === 'athena' ? engine : undefined);
      const catalog = createGlueCatalog({ client: glue, store, codec, databasePrefix });
      return { pipeline, deps: { ...local.deps, store, catalog, sqlEngine } };
    },
    async [Symbol.asyncDispose]() {
      s3.destroy();
      glue.destroy();
      await stop();
    },
  };
}

const SILENT = { info: () => {}, warn: () => {} };

/** Source: https://trino.io/docs/current/object-storage/metastores.html (Glue), https://trino.io/docs/current/object-storage/file-system-s3.html */
function catalogAt(endpoint: string): Properties {
  return {
    'iceberg.catalog.type': 'glue',
    'hive.metastore.glue.region': REGION,
    'hive.metastore.glue.endpoint-url': endpoint,
    'hive.metastore.glue.aws-access-key': CREDENTIALS.accessKeyId,
    'hive.metastore.glue.aws-secret-key': CREDENTIALS.secretAccessKey,
    'fs.native-s3.enabled': 'true',
    's3.endpoint': endpoint,
    's3.region': REGION,
    's3.path-style-access': 'true',
    's3.aws-access-key': CREDENTIALS.accessKeyId,
    's3.aws-secret-key': CREDENTIALS.secretAccessKey,
  };
}
