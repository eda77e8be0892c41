import type { ModelFigures, PipelineFacts } from '../../core/page-facts.ts';
import type { RunFact } from '../../core/run-fact.ts';
import { byEnd, type Incident, incidentsOf } from '../incidents.ts';
import { durationsOf, mean, percentOf, quantile } from '../statistics.ts';
import { judgePipeline, type PipelineStatus } from '../status.ts';
import type { GluePrices, PageFacts } from './facts.ts';

/** What a page shows, and what `report.json` is. */
export type Report = {
  readonly lake: string;
  readonly at: string;
  readonly days: number;
  readonly pipelines: readonly PipelineReport[];
  readonly glue: GluePrices;
};

export type PipelineReport = Omit<PipelineFacts, 'status' | 'before' | 'after'> & {
  readonly status: PipelineStatus;
  readonly by_day: readonly DayFigures[];
  readonly cost: CostFigures | null;
  readonly latest: readonly LatestRun[];
  /** Those that ended in the days of the page, or last; the latest first. */
  readonly incidents: readonly Incident[];
  readonly compared: Compared | null;
};

export type DayFigures = {
  readonly day: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly p50: number | null;
  readonly p95: number | null;
};

/** US dollars. `month_usd`: what 30 days cost at the rate of the days of the page. */
export type CostFigures = {
  readonly runs: number;
  readonly per_run_usd: number;
  readonly month_usd: number;
  /** What the smallest Spark job of Glue would have cost in each one's place, had it taken as long. */
  readonly glue_month_usd: number;
  /** By which the latest of them was counted. */
  readonly rate: string | null;
};

type LatestRun = Omit<RunFact, 'started' | 'finished'> & { readonly started_at: string };

export type RunSet = { readonly runs: number; readonly mean: number | null; readonly cost_usd: number | null };

export type Compared = {
  readonly before: string;
  readonly after: string;
  readonly whole: Change;
  readonly models: readonly (Change & { readonly model: string })[];
};

/** Changes are in percent of what was before; null where one side has no figure. */
export type Change = {
  readonly before: RunSet;
  readonly after: RunSet;
  readonly time_change: number | null;
  readonly cost_change: number | null;
};

const DAY_MS = 86_400_000;
export const MONTH_DAYS = 30;
const MOST_RUNS = 50;

export function buildReport(facts: PageFacts): Report {
  const { lake, now, days, glue } = facts;
  const pipelines = facts.pipelines.map((one) => buildPipeline(one, facts));
  return { lake, at: new Date(now).toISOString(), days, pipelines, glue };
}

function buildPipeline(facts: PipelineFacts, page: PageFacts): PipelineReport {
  const { status, before: _before, after: _after, ...shown } = facts;
  const from = page.now - page.days * DAY_MS;
  const recent = byEnd(status.runs).filter(({ finished }) => finished >= from);
  return {
    ...shown,
    status: judgePipeline(status, page.now, page.days),
    by_day: figuresByDay(recent, { from, to: page.now }),
    cost: costOf(recent, page),
    latest: recent
      .toReversed()
      .slice(0, MOST_RUNS)
      .map(({ started, finished: _finished, ...run }) => ({ ...run, started_at: new Date(started).toISOString() })),
    incidents: incidentsOf(status.runs)
      .filter(({ to }) => to === null || to >= from)
      .reverse()
      .slice(0, MOST_RUNS),
    compared: page.compared === undefined ? null : compare(facts, page.compared),
  };
}

/** By the day, in UTC, on which runs ended: each from the first that had one to the last of the time. */
export function figuresByDay(
  runs: readonly RunFact[],
  time: { readonly from: number; readonly to: number },
): readonly DayFigures[] {
  const first = runs.reduce((least, { finished }) => Math.min(least, finished), time.to);
  const byDay = Map.groupBy(runs, ({ finished }) => dayOf(finished));
  return daysFrom(dayOf(Math.max(first, time.from)), dayOf(time.to)).map((day) => {
    const own = byDay.get(day) ?? [];
    const good = own.flatMap(({ succeeded, duration_ms }) => (succeeded ? [duration_ms] : []));
    const [p50, p95] = [quantile(good, 0.5), quantile(good, 0.95)];
    return { day, succeeded: good.length, failed: own.length - good.length, p50, p95 };
  });
}

function daysFrom(first: string, last: string): readonly string[] {
  const count = Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS) + 1;
  return Array.from({ length: count }, (_, at) => dayOf(Date.parse(first) + at * DAY_MS));
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

function costOf(runs: readonly RunFact[], { days, glue }: PageFacts): CostFigures | null {
  const priced = runs.flatMap(({ cost_usd, duration_ms }) =>
    cost_usd === undefined ? [] : [{ cost_usd, duration_ms }],
  );
  const perRun = mean(priced.map(({ cost_usd }) => cost_usd));
  if (perRun === null) return null;
  const glueUsd = priced.reduce((sum, { duration_ms }) => {
    return sum + (Math.max(duration_ms / 1_000, glue.seconds) / 3_600) * glue.dpus * glue.dpuHour;
  }, 0);
  const month = MONTH_DAYS / days;
  return {
    runs: priced.length,
    per_run_usd: perRun,
    month_usd: perRun * priced.length * month,
    glue_month_usd: glueUsd * month,
    rate: runs.findLast(({ cost_rate }) => cost_rate !== undefined)?.cost_rate ?? null,
  };
}

function compare(facts: PipelineFacts, named: { readonly before: string; readonly after: string }): Compared {
  const setOf = (beginning: string): RunSet => {
    const good = facts.status.runs.filter(({ run_id, succeeded }) => succeeded && run_id.startsWith(beginning));
    const costs = good.flatMap(({ cost_usd }) => cost_usd ?? []);
    const { n, mean: time } = durationsOf(good.map(({ duration_ms }) => duration_ms));
    return { runs: n, mean: time, cost_usd: mean(costs) };
  };
  const models = facts.before.flatMap((before) => {
    const after = facts.after.find(({ model }) => model === before.model);
    return after === undefined ? [] : [{ model: before.model, ...changeOf(setOfModel(before), setOfModel(after)) }];
  });
  return { ...named, whole: changeOf(setOf(named.before), setOf(named.after)), models };
}

function setOfModel({ runs, failed, mean: time, cost_usd }: ModelFigures): RunSet {
  return { runs: runs - failed, mean: time, cost_usd: cost_usd === null ? null : cost_usd / runs };
}

function changeOf(before: RunSet, after: RunSet): Change {
  return {
    before,
    after,
    time_change: changeIn(before.mean, after.mean),
    cost_change: changeIn(before.cost_usd, after.cost_usd),
  };
}

function changeIn(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : percentOf(after - before, before);
}
