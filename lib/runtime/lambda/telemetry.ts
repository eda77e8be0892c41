import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import type { Context } from 'aws-lambda';
import type { JsonValue, Log } from '../../ports.ts';

/** The namespace of all metrics. */
export const NAMESPACE = 'Strata';

/**
 * What is measured, with its unit. Every metric has one dimension, service (the pipeline): each further value of another would be
 * billed as a metric of its own. The lines that metrics are made of name the function as well.
 */
export const METRICS = {
  RowsRead: MetricUnit.Count,
  RowsAccepted: MetricUnit.Count,
  RowsQuarantined: MetricUnit.Count,
  RowsCondemned: MetricUnit.Count,
  RowsDuplicate: MetricUnit.Count,
  FilesRead: MetricUnit.Count,
  FilesWritten: MetricUnit.Count,
  BytesRead: MetricUnit.Bytes,
  /** How much a call took of what it may. */
  TimeUsedPercent: MetricUnit.Percent,
  /** The most that the environment has used of its function's memory. */
  MemoryUsedPercent: MetricUnit.Percent,
  RunDuration: MetricUnit.Milliseconds,
  RunSucceeded: MetricUnit.Count,
  /** Executions that timed out or were stopped, and maintenance that failed. */
  EndedOtherwise: MetricUnit.Count,
  /** US dollars. */
  EstimatedCost: MetricUnit.NoUnit,
  /** Of the rows that a run read, how many were rejected. */
  QuarantineRate: MetricUnit.Percent,
  /** Since the run that succeeded before this one. */
  Freshness: MetricUnit.Milliseconds,
  /** Promises that are not kept now that a run has ended, well or not. */
  PromisesBroken: MetricUnit.Count,
  /** Of what may go wrong, the least that is left of any promise; below 0: more went wrong. */
  ErrorBudgetLeft: MetricUnit.Percent,
  /** From the first failure to the next success, on average over 30 days. */
  MeanTimeToRepair: MetricUnit.Milliseconds,
} as const;

/** Notes a figure in its metric's unit; one that is no finite number is left out. */
export type Measure = (metric: keyof typeof METRICS, value: number) => void;

/** What a handler is given besides its event. */
export type Invocation = { readonly log: Log; readonly measure: Measure; readonly context: Context };

export type StepHandler = (event: unknown, invocation: Invocation) => Promise<JsonValue>;

/** A Lambda handler that Node's runtime calls. */
export type LambdaHandler = (event: unknown, context: Context) => Promise<JsonValue>;

/** Of the time that a call may take, when it tells that it is late. */
const LATE_PERCENTS = [81, 97] as const;

const logger = new Logger();
const tracer = new Tracer();

/**
 * Wraps a step in structured logs, metrics (CloudWatch's embedded format, on stdout) and a trace. Whatever is thrown
 * keeps its name, which Lambda reports as errorType and ErrorEquals matches.
 * Source: docs.aws.amazon.com/powertools/typescript/latest
 */
export function instrument(step: string, handle: StepHandler): LambdaHandler {
  const metrics = new Metrics({ namespace: NAMESPACE });
  const measure: Measure = (metric, value) => {
    if (Number.isFinite(value)) metrics.addMetric(metric, METRICS[metric], value);
  };
  return async (event, context) => {
    const keys = keysOf(event);
    logger.addContext(context);
    logger.appendKeys({ step, ...keys });
    logger.info('begun');
    const started = performance.now();
    const mayTakeMs = context.getRemainingTimeInMillis();
    const publish = (): void => {
      metrics.addMetadata('function', step);
      metrics.publishStoredMetrics();
    };
    // A call that time runs out for is ended without a word, so it tells while it still can.
    const warnings = LATE_PERCENTS.map((percent) =>
      setTimeout(
        () => {
          measure('TimeUsedPercent', percent);
          publish();
        },
        (mayTakeMs * percent) / 100,
      ),
    );
    try {
      const answer = await traced(step, keys, () => handle(event, { log: logOver(logger), measure, context }));
      logger.info('done', { ms: Math.round(performance.now() - started) });
      return answer;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      logger.error('failed', error);
      throw error;
    } finally {
      for (const warning of warnings) clearTimeout(warning);
      measure('TimeUsedPercent', ((performance.now() - started) / mayTakeMs) * 100);
      measure('MemoryUsedPercent', memoryUsedPercent(Number(context.memoryLimitInMB)));
      publish();
      logger.resetKeys();
    }
  };
}

/** Our port over the structured logger. */
export function logOver(target: Pick<Logger, 'info' | 'warn'>): Log {
  return {
    info: (event, fields) => target.info(event, { ...fields }),
    warn: (event, fields) => target.warn(event, { ...fields }),
  };
}

/** NaN where the limit is not known. */
function memoryUsedPercent(limitMb: number): number {
  const usedMb = process.resourceUsage().maxRSS / 1_024;
  return (usedMb / limitMb) * 100;
}

async function traced<T>(step: string, keys: Keys, act: () => Promise<T>): Promise<T> {
  const parent = tracer.isTracingEnabled() ? tracer.getSegment() : undefined;
  if (parent === undefined) return act();
  const segment = parent.addNewSubsegment(`## ${step}`);
  tracer.setSegment(segment);
  tracer.annotateColdStart();
  tracer.addServiceNameAnnotation();
  for (const [key, value] of Object.entries(keys)) tracer.putAnnotation(key, value);
  try {
    return await act();
  } catch (thrown) {
    if (thrown instanceof Error) tracer.addErrorAsMetadata(thrown);
    throw thrown;
  } finally {
    segment.close();
    tracer.setSegment(parent);
  }
}

/** What tells one call from another, wherever a state puts it. */
type Keys = { readonly run_id?: string; readonly pipeline?: string; readonly unit?: string };

function keysOf(event: unknown): Keys {
  const state = part(event, 'state') ?? event;
  const find = (name: 'run_id' | 'pipeline'): string | undefined =>
    text(part(part(state, 'run'), name)) ?? text(part(state, name));
  const found = { run_id: find('run_id'), pipeline: find('pipeline'), unit: text(part(part(state, 'unit'), 'unit')) };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function part(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
