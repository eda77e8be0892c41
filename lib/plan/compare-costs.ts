import type { CostLine, EstimatedCost, RunCost } from '../core/cost.ts';

/** What a run was estimated to cost, by what it set out to do, and what it has cost by what it recorded. */
export type ComparedRun = { readonly estimated: EstimatedCost; readonly recorded: RunCost };

export type Amount = Pick<CostLine, 'quantity' | 'usd'>;

/** One line of all runs together; null on the side that does not have it. */
export type ComparedLine = Pick<CostLine, 'service' | 'item' | 'unit'> & {
  readonly estimated: Amount | null;
  readonly recorded: Amount | null;
};

export type ComparedCosts = {
  readonly lines: readonly ComparedLine[];
  readonly estimated_usd: number;
  readonly recorded_usd: number;
  /** Of the runs, those of earlier releases, which did not count what they asked S3 for. */
  readonly assumed: number;
};

/** Adds up runs line by line, in the order in which a run has its lines. */
export function compareCosts(runs: readonly ComparedRun[]): ComparedCosts {
  const estimated = addLines(runs.map((run) => run.estimated));
  const recorded = addLines(runs.map((run) => run.recorded));
  const all = new Map([...estimated, ...recorded]);
  const lines = [...all].map(([key, { service, item, unit }]) => {
    return { service, item, unit, estimated: amountOf(estimated.get(key)), recorded: amountOf(recorded.get(key)) };
  });
  return {
    lines,
    estimated_usd: round(
      runs.reduce((sum, run) => sum + run.estimated.usd, 0),
      9,
    ),
    recorded_usd: round(
      runs.reduce((sum, run) => sum + run.recorded.usd, 0),
      9,
    ),
    assumed: runs.filter((run) => run.recorded.requests === 'assumed').length,
  };
}

function addLines(costs: readonly EstimatedCost[]): ReadonlyMap<string, CostLine> {
  const sums = new Map<string, CostLine>();
  for (const line of costs.flatMap(({ lines }) => lines)) {
    const key = `${line.service} ${line.item}`;
    const before = sums.get(key) ?? { quantity: 0, usd: 0 };
    sums.set(key, { ...line, quantity: before.quantity + line.quantity, usd: before.usd + line.usd });
  }
  return sums;
}

function amountOf(line: CostLine | undefined): Amount | null {
  return line === undefined ? null : { quantity: round(line.quantity, 3), usd: round(line.usd, 9) };
}

function round(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}
