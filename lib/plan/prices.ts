/** What AWS asks for, in US dollars. Free tiers, savings plans and volume steps are left out. */
export type Prices = {
  readonly region: string;
  /** The day on which the table was checked against the pages named at each price. */
  readonly checked: string;
  readonly lambda: {
    /** A GB (1,024 MB) of an arm64 function's memory, for a second. */
    readonly gbSecond: number;
    readonly request: number;
    /** A GB of /tmp beyond `freeTmpMb`, for a second. */
    readonly tmpGbSecond: number;
    readonly freeTmpMb: number;
  };
  /** A state transition of a standard workflow. */
  readonly transition: number;
  readonly s3: {
    /** PUT, COPY, POST or LIST. */
    readonly put: number;
    /** GET, HEAD and all others; deleting costs nothing. */
    readonly get: number;
  };
  readonly glue: {
    readonly dpuHour: number;
    /** Of a DPU: 4 vCPU. */
    readonly vcpus: number;
    /** The smallest Spark job. */
    readonly dpus: number;
    /** What the shortest job is billed as. */
    readonly seconds: number;
  };
  readonly athena: {
    /** 2^40 bytes scanned. */
    readonly terabyte: number;
    /** What is billed is rounded up to these bytes, at least `atLeast` of them. */
    readonly step: number;
    readonly atLeast: number;
  };
  /** For a month, but for what is said otherwise. */
  readonly standing: {
    /** Each metric that an alarm looks at. */
    readonly alarmMetric: number;
    /** A metric of one's own, by the hours in which it has values. */
    readonly metric: number;
    readonly dashboard: number;
    readonly key: number;
    /** A GB of log lines that comes in; and one that is kept. */
    readonly logGb: number;
    readonly keptLogGb: number;
    /** A request to a queue. */
    readonly queueRequest: number;
    /** A call that the scheduler makes. */
    readonly scheduled: number;
  };
};

/**
 * Published prices of US East (N. Virginia) as they were known on the date of `checked`, the first tier of each; nothing
 * fetches them, so compare them with the pages named here before you rely on a sum. Other regions differ by a few percent to a half:
 * the sums are for comparing and for sizing, the bill is what counts.
 */
export const PRICES: Prices = {
  region: 'us-east-1',
  checked: '2026-11-21',
  // aws.amazon.com/lambda/pricing: Arm, first 7.5 billion GB-seconds of a month; requests; ephemeral storage
  lambda: { gbSecond: 0.000_013_333_4, request: 0.000_000_2, tmpGbSecond: 0.000_000_030_9, freeTmpMb: 512 },
  // aws.amazon.com/step-functions/pricing: 0.025 for 1,000 state transitions, each retry being one
  transition: 0.000_025,
  // aws.amazon.com/s3/pricing: S3 Standard, 0.005 and 0.0004 for 1,000 requests
  s3: { put: 0.000_005, get: 0.000_000_4 },
  // aws.amazon.com/glue/pricing: Spark jobs, 2 DPU or more, billed per second with a minimum of a minute
  glue: { dpuHour: 0.44, vcpus: 4, dpus: 2, seconds: 60 },
  // aws.amazon.com/athena/pricing: SQL queries, per TB scanned, rounded up to a megabyte, at least 10 MB
  athena: { terabyte: 5, step: 2 ** 20, atLeast: 10 },
  // aws.amazon.com/cloudwatch/pricing: standard alarms, custom metrics, dashboards, logs; aws.amazon.com/kms/pricing;
  // aws.amazon.com/sqs/pricing: standard queues; aws.amazon.com/eventbridge/pricing: Scheduler
  standing: {
    alarmMetric: 0.1,
    metric: 0.3,
    dashboard: 3,
    key: 1,
    logGb: 0.5,
    keptLogGb: 0.03,
    queueRequest: 0.000_000_4,
    scheduled: 0.000_001,
  },
};

/** What a query costs that scanned these bytes, in US dollars. A statement that scans nothing, such as DDL, is free. */
export function costOfQuery(bytesScanned: number, { athena }: Prices = PRICES): number {
  if (bytesScanned === 0) return 0;
  const billed = Math.max(athena.atLeast, Math.ceil(bytesScanned / athena.step)) * athena.step;
  return (billed / 2 ** 40) * athena.terabyte;
}
