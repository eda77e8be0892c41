import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import type { Context } from 'aws-lambda';
import type { JsonValue, Log } from '../../ports.ts';

/** What is measured, with its unit; every metric has the dimensions service (the pipeline) and function (the step). */
export const METRICS = {
  RowsRead: MetricUnit.Count,
  RowsAccepted: MetricUnit.Count,
  RowsQuarantined: MetricUnit.Count,
  RowsCondemned: MetricUnit.Count,
  RowsDuplicate: MetricUnit.Count,
  FilesRead: MetricUnit.Count,
  FilesWritten: MetricUnit.Count,
  BytesRead: MetricUnit.Bytes,
  /** Of one call of a function. */
  UnitDuration: MetricUnit.Milliseconds,
  /** The most that the environment has used of its function's memory. */
  MemoryUsedPercent: MetricUnit.Percent,
  RunDuration: MetricUnit.Milliseconds,
  RunSucceeded: MetricUnit.Count,
  /** US dollars. */
  EstimatedCost: MetricUnit.NoUnit,
  /** Of the rows that a run read, how many were rejected. */
  QuarantineRate: MetricUnit.Percent,
  /** Since the run that succeeded before this one. */
  Freshness: MetricUnit.Milliseconds,
} as const;

export type Measure = (metric: keyof typeof METRICS, value: number) => void;

/** What a handler is given besides its event. */
export type Invocation = { readonly log: Log; readonly measure: Measure; readonly context: Context };

export type StepHandler = (event: unknown, invocation: Invocation) => Promise<JsonValue>;

/** A Lambda handler that Node's runtime calls. */
export type LambdaHandler = (event: unknown, context: Context) => Promise<JsonValue>;

const logger = new Logger();
const tracer = new Tracer();

/**
 * Wraps a step in structured logs, metrics (CloudWatch's embedded format) and a trace. Whatever is thrown keeps its
 * name, which Lambda reports as errorType and ErrorEquals matches.
 * Source: docs.aws.amazon.com/powertools/typescript/latest
 */
export function instrument(step: string, handle: StepHandler): LambdaHandler {
  const metrics = new Metrics({ defaultDimensions: { function: step } });
  const measure: Measure = (metric, value) => metrics.addMetric(metric, METRICS[metric], value);
  return async (event, context) => {
    logger.addContext(context);
    logger.appendKeys({ step, ...keysOf(event) });
    const started = performance.now();
    try {
      const answer = await traced(step, () => handle(event, { log: logOver(logger), measure, context }));
      logger.info('done', { ms: Math.round(performance.now() - started) });
      return answer;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      logger.error('failed', error);
      throw error;
    } finally {
      measure('UnitDuration', performance.now() - started);
      measure('MemoryUsedPercent', memoryUsedPercent(Number(context.memoryLimitInMB)));
      metrics.publishStoredMetrics();
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

function memoryUsedPercent(limitMb: number): number {
  const usedMb = process.resourceUsage().maxRSS / 1_024;
  return limitMb > 0 ? (usedMb / limitMb) * 100 : 0;
}

async function traced<T>(step: string, act: () => Promise<T>): Promise<T> {
  if (!tracer.isTracingEnabled()) return act();
  const parent = tracer.getSegment();
  const segment = parent?.addNewSubsegment(`## ${step}`);
  if (segment !== undefined) tracer.setSegment(segment);
  try {
    return await act();
  } catch (thrown) {
    if (thrown instanceof Error) tracer.addErrorAsMetadata(thrown);
    throw thrown;
  } finally {
    segment?.close();
    if (parent !== undefined) tracer.setSegment(parent);
  }
}

/** What tells one call from another: the run and the unit, wherever a state puts them. */
function keysOf(event: unknown): { readonly run_id?: string; readonly unit?: string } {
  const state = part(event, 'state') ?? event;
  const run = text(part(part(state, 'run'), 'run_id')) ?? text(part(state, 'run_id'));
  const unit = text(part(part(state, 'unit'), 'unit'));
  return { ...(run === undefined ? {} : { run_id: run }), ...(unit === undefined ? {} : { unit }) };
}

function part(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
