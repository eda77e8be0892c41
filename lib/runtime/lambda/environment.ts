import { z } from 'zod';
import { InvalidInput } from '../../core/errors.ts';
import { type LineageReceiver, parseReceiver } from '../../core/lineage-receiver.ts';
import { parseWebhook, type Webhook } from '../../core/webhook.ts';

const bucket = z.string().min(3).optional();

/** What the stacks put into a function's environment, and what Lambda adds. */
const environment = z.object({
  STRATA_PIPELINE: z.string().min(1),
  STRATA_BRONZE_BUCKET: bucket,
  STRATA_SILVER_BUCKET: bucket,
  STRATA_GOLD_BUCKET: bucket,
  STRATA_OPS_BUCKET: bucket,
  STRATA_DATABASE_PREFIX: z.string().default(''),
  STRATA_TOPIC_ARN: z.string().optional(),
  STRATA_WEBHOOK: z
    .string()
    .optional()
    .transform((text) => text && parseWebhook(text)),
  STRATA_OPENLINEAGE: z
    .string()
    .optional()
    .transform((text) => text && parseReceiver(text)),
  STRATA_PAGE_FUNCTION: z.string().optional(),
  STRATA_STATE_MACHINE_ARN: z.string().optional(),
  STRATA_ATHENA_WORKGROUP: z.string().optional(),
  STRATA_SPARK_APPLICATION: z.string().optional(),
  STRATA_SPARK_ROLE: z.string().default(''),
  STRATA_SPARK_SCRIPT: z.string().default(''),
  STRATA_SPARK_SUBMIT: z.string().default(''),
  STRATA_TMP_MB: z.coerce.number().int().positive().default(512),
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: z.coerce.number().int().positive().default(1_769),
  STRATA_SPECS: z.string().optional(),
  TMPDIR: z.string().default('/tmp'),
});

/** What `createEmrServerless` has from a deployment. */
export type SparkPlace = {
  readonly applicationId: string;
  readonly roleArn: string;
  readonly script: string;
  readonly more: string;
};

export type FunctionEnvironment = {
  readonly pipeline: string;
  readonly buckets: {
    readonly bronze?: string;
    readonly silver?: string;
    readonly gold?: string;
    readonly ops?: string;
  };
  readonly databasePrefix: string;
  readonly topicArn: string | undefined;
  /** Where alerts are posted to as well. */
  readonly webhook: Webhook | undefined;
  /** Where runs are told of as OpenLineage events. */
  readonly lineage: LineageReceiver | undefined;
  /** The function that writes the page, where one is written. */
  readonly pageFunction: string | undefined;
  readonly stateMachineArn: string | undefined;
  /** Present: gold models may be handed to Athena, in this workgroup. */
  readonly athenaWorkgroup: string | undefined;
  /** Present: gold models may be handed to Spark, in this application of EMR Serverless. */
  readonly spark: SparkPlace | undefined;
  readonly memoryMb: number;
  readonly tmpMb: number;
  /** Where the compiled pipeline lies, for those that read it. */
  readonly specs: string | undefined;
  /** The folder that may be written to. */
  readonly tmp: string;
};

/** Reads a function's environment. Throws InvalidInput with every variable that is missing or wrong. */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): FunctionEnvironment {
  const parsed = environment.safeParse(variables);
  if (!parsed.success) {
    throw new InvalidInput(
      'the environment of this function is not what its stack gives it; deploy it again',
      parsed.error.issues.map(({ path, message }) => {
        const place = path.join('.');
        return { file: 'environment', place, got: JSON.stringify(variables[place]) ?? 'nothing', expected: message };
      }),
    );
  }
  const { data } = parsed;
  return {
    pipeline: data.STRATA_PIPELINE,
    buckets: {
      ...(data.STRATA_BRONZE_BUCKET && { bronze: data.STRATA_BRONZE_BUCKET }),
      ...(data.STRATA_SILVER_BUCKET && { silver: data.STRATA_SILVER_BUCKET }),
      ...(data.STRATA_GOLD_BUCKET && { gold: data.STRATA_GOLD_BUCKET }),
      ...(data.STRATA_OPS_BUCKET && { ops: data.STRATA_OPS_BUCKET }),
    },
    databasePrefix: data.STRATA_DATABASE_PREFIX,
    topicArn: data.STRATA_TOPIC_ARN,
    webhook: data.STRATA_WEBHOOK || undefined,
    lineage: data.STRATA_OPENLINEAGE || undefined,
    pageFunction: data.STRATA_PAGE_FUNCTION,
    stateMachineArn: data.STRATA_STATE_MACHINE_ARN,
    athenaWorkgroup: data.STRATA_ATHENA_WORKGROUP,
    spark: sparkOf(data),
    memoryMb: data.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    tmpMb: data.STRATA_TMP_MB,
    specs: data.STRATA_SPECS,
    tmp: data.TMPDIR,
  };
}

function sparkOf(data: z.output<typeof environment>): SparkPlace | undefined {
  const applicationId = data.STRATA_SPARK_APPLICATION;
  if (applicationId === undefined) return undefined;
  const { STRATA_SPARK_ROLE: roleArn, STRATA_SPARK_SCRIPT: script, STRATA_SPARK_SUBMIT: more } = data;
  return { applicationId, roleArn, script, more };
}
