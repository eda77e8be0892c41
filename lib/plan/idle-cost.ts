import { DEFAULT_COMPUTE, isJudged } from '../core/compute.ts';
import { DEFAULT_RECONCILE_MS, type PipelineSpec } from '../core/spec.ts';
import { PRICES, type Prices } from './prices.ts';
import { CALLS } from './run-requests.ts';
import { ASSUMED_RATES } from './run-work.ts';

/** What there is of a stack that is billed though nothing happens. */
export type Standing = {
  /** Those that alarms look at. */
  readonly alarmMetrics: number;
  readonly dashboards: number;
  readonly keys: number;
  /** Queues that Lambda asks for messages. */
  readonly polledQueues: number;
  /** Executions in a month that look for what events have not told of. */
  readonly comparisons: number;
};

export type IdleLine = {
  readonly of: 'pipeline' | 'lake';
  readonly item: string;
  readonly quantity: number;
  readonly unit: string;
  readonly usd: number;
};

/** What a month costs in which nothing lands, without storage. */
export type IdleCost = {
  readonly region: string;
  readonly prices_checked: string;
  readonly lines: readonly IdleLine[];
  readonly pipeline_usd: number;
  /** Once for all pipelines. */
  readonly lake_usd: number;
};

const HOURS = 730;
const HOUR_MS = 3_600_000;
/** Lambda keeps so many requests waiting for messages, each for 20 s. Source: docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const POLLS = { atOnce: 5, seconds: 20 } as const;
/** A run that finds nothing: Open, IsThereWork, Done; the metrics that Open has measured then, and its lines. */
const NOTHING_FOUND = { transitions: 3, metrics: 2, logBytes: 20_000 } as const;
const ALARMS = 6;

/** What the stack of a pipeline has, by default. */
export function standingOf({ slo, discover }: Pick<PipelineSpec, 'slo' | 'discover'>): Standing {
  const watched = [slo.quarantineRate, slo.freshnessMs].filter((promise) => promise !== null).length;
  const promises = watched + Number(isJudged(slo));
  const comparisons = (HOURS * HOUR_MS) / (discover?.reconcileMs ?? DEFAULT_RECONCILE_MS);
  return { alarmMetrics: ALARMS + promises, dashboards: 0, keys: 0, polledQueues: 1, comparisons };
}

/** What the stack of the lake has, by default. */
export const LAKE_STANDING: Standing = { alarmMetrics: 0, dashboards: 1, keys: 1, polledQueues: 0, comparisons: 0 };

/** What an idle pipeline costs, line by line, and the lake that it is part of. */
export function idleCost(pipeline: Standing, lake: Standing = LAKE_STANDING, prices: Prices = PRICES): IdleCost {
  const lines = [...linesOf('pipeline', pipeline, prices), ...linesOf('lake', lake, prices)];
  const usdOf = (of: IdleLine['of']): number =>
    round(lines.filter((one) => one.of === of).reduce((sum, { usd }) => sum + usd, 0));
  return {
    region: prices.region,
    prices_checked: prices.checked,
    lines: lines.map((one) => ({ ...one, quantity: Math.round(one.quantity), usd: round(one.usd) })),
    pipeline_usd: usdOf('pipeline'),
    lake_usd: usdOf('lake'),
  };
}

function linesOf(of: IdleLine['of'], standing: Standing, prices: Prices): readonly IdleLine[] {
  const { standing: month, lambda, s3 } = prices;
  const { comparisons } = standing;
  const line = (item: string, quantity: number, unit: string, price: number): IdleLine => {
    return { of, item, quantity, unit, usd: quantity * price };
  };
  const gb = DEFAULT_COMPUTE.steps.Open.memoryMb / 1_024;
  const { get, put } = CALLS.Open;
  const polls = (standing.polledQueues * POLLS.atOnce * HOURS * 3_600) / POLLS.seconds;
  // A metric is billed by the hours in which it has a value.
  const metricHours = NOTHING_FOUND.metrics * Math.min(HOURS, comparisons);
  const logGb = (NOTHING_FOUND.logBytes * comparisons) / 1e9;
  const working = (ASSUMED_RATES.requestMs * (get + put) * gb) / 1_000;
  const once =
    NOTHING_FOUND.transitions * prices.transition +
    working * lambda.gbSecond +
    lambda.request +
    get * s3.get +
    put * s3.put;
  return [
    line('alarms', standing.alarmMetrics, 'metrics', month.alarmMetric),
    line('dashboard', standing.dashboards, 'in all', month.dashboard),
    line('key of alerts', standing.keys, 'in all', month.key),
    line('queue', polls, 'requests', month.queueRequest),
    line('own metrics', metricHours, 'hours', month.metric / HOURS),
    line('logs', logGb * 1e6, 'kB', (month.logGb + month.keptLogGb) / 1e6),
    line('schedule', comparisons, 'calls', month.scheduled),
    line('comparisons', comparisons, 'executions', once),
    line('cold starts', comparisons, 'starts', (ASSUMED_RATES.startMs / 1_000) * gb * lambda.gbSecond),
  ].filter(({ quantity }) => quantity > 0);
}

function round(usd: number): number {
  return Number(usd.toFixed(6));
}
