import type { AskAws } from '../../../core/aws-question.ts';
import type { Progress, SqlEngine } from '../../../core/sql-engine.ts';
import type { TableMetadata } from '../../../iceberg/types.ts';
import type { ObjectStore } from '../../../ports.ts';
import type { GlueShown } from '../glue-tables.ts';
import { findJob, type JobRun, startJob, stopsJobs } from './emr-jobs.ts';
import { placeStatement, progressOf, readEnded, SPARK_CATALOG, SPARK_SETTINGS, submitWords } from './statement.ts';

export type EmrOptions = {
  readonly ask: AskAws;
  readonly applicationId: string;
  /** What jobs may do. */
  readonly roleArn: string;
  /** Where spark/statement.py lies. */
  readonly script: string;
  /** What spark-submit is given beside what is ours. */
  readonly more: string;
  readonly store: ObjectStore;
  readonly tables: GlueShown;
};

/** Iceberg as EMR brings it. Source: docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/using-iceberg.html */
const OF_EMR: Readonly<Record<string, string>> = {
  'spark.jars': '/usr/share/aws/iceberg/lib/iceberg-spark3-runtime.jar',
  [`spark.sql.catalog.${SPARK_CATALOG}.catalog-impl`]: 'org.apache.iceberg.aws.glue.GlueCatalog',
  [`spark.sql.catalog.${SPARK_CATALOG}.io-impl`]: 'org.apache.iceberg.aws.s3.S3FileIO',
};

/** Longer than all calls that wait for a model: whoever has given up does not pay for what nobody waits for. */
const LONGEST_JOB_MINUTES = 100;

/**
 * Spark on EMR Serverless: a job for each statement, over tables in Glue. A token begins one job.
 * Source: docs.aws.amazon.com/emr-serverless/latest/APIReference/API_StartJobRun.html (clientToken), API_JobRun.html (state)
 */
export function createEmrServerless(options: EmrOptions): SqlEngine<TableMetadata> {
  const { ask, applicationId, roleArn, script, more, store, tables } = options;
  const [database = ''] = tables.place;
  const settings = {
    ...SPARK_SETTINGS,
    ...OF_EMR,
    [`spark.sql.catalog.${SPARK_CATALOG}.warehouse`]: warehouseOf(store),
  };
  return {
    ...tables,
    title: `Spark (application ${applicationId})`,
    dialect: 'spark',
    place: [SPARK_CATALOG, database],
    async start(sql, token, key) {
      await placeStatement(store, key, sql);
      return startJob(ask, applicationId, {
        clientToken: token,
        executionRoleArn: roleArn,
        name: token,
        executionTimeoutMinutes: LONGEST_JOB_MINUTES,
        jobDriver: {
          sparkSubmit: {
            entryPoint: script,
            entryPointArguments: [store.location(key)],
            sparkSubmitParameters: `${more} ${submitWords(settings)}`.trim(),
          },
        },
      });
    },
    async look(id) {
      const job = await findJob(ask, applicationId, id);
      switch (job.state) {
        case 'SUCCESS':
          return { kind: 'done' };
        case 'FAILED':
          return failureOf(store, job);
        case 'CANCELLED':
          return { kind: 'failed', reason: `it was cancelled: ${job.stateDetails}` };
        default:
          return { kind: 'working' };
      }
    },
    ...stopsJobs(ask, applicationId),
  };
}

/** No table is made there; Iceberg asks for one. */
function warehouseOf(store: ObjectStore): string {
  return store.location('gold/_');
}

/** What keeps a job from its program, or the program from its objects, and is not mended by another. */
const FOR_A_PERSON = /AccessDenied|Access Denied|not authorized|assume role|does not exist|ValidationException/i;

/** By the program's own words where it has come to say any, which a driver that dies does not. */
async function failureOf(store: ObjectStore, { stateDetails, jobDriver }: JobRun): Promise<Progress> {
  const [object] = jobDriver.sparkSubmit?.entryPointArguments ?? [];
  const ended = object === undefined ? undefined : await readEnded(store, store.key(object));
  if (ended !== undefined && ended.errors.length > 0) return progressOf(ended);
  const reason = stateDetails === '' ? 'no reason given' : stateDetails;
  return { kind: FOR_A_PERSON.test(reason) ? 'refused' : 'failed', reason };
}
