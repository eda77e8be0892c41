import type { RunFact } from '../core/run-fact.ts';
import { mean } from './statistics.ts';

/** A maximal row of failures of one pipeline: from the end of the first to the end of the next run that succeeded. */
export type Incident = {
  readonly from: number;
  /** Null: it lasts. */
  readonly to: number | null;
  /** Ids of the runs that failed. */
  readonly failures: readonly string[];
  /** What the latest of them said. */
  readonly error: string | null;
};

/** The runs of one pipeline in the order in which they ended. */
export function byEnd(runs: readonly RunFact[]): readonly RunFact[] {
  return [...runs].sort((a, b) => a.finished - b.finished || a.started - b.started);
}

/** The incidents of one pipeline, the first first. */
export function incidentsOf(runs: readonly RunFact[]): readonly Incident[] {
  const incidents: Incident[] = [];
  let row: RunFact[] = [];
  const end = (to: number | null): void => {
    const [first] = row;
    const error = row.at(-1)?.error ?? null;
    if (first !== undefined)
      incidents.push({ from: first.finished, to, failures: row.map(({ run_id }) => run_id), error });
    row = [];
  };
  for (const run of byEnd(runs)) {
    if (run.succeeded) end(run.finished);
    else row.push(run);
  }
  end(null);
  return incidents;
}

/** The mean time to repair, in ms, over incidents that are over; null where none is. */
export function meanTimeToRepair(incidents: readonly Incident[]): number | null {
  return mean(incidents.flatMap(({ from, to }) => (to === null ? [] : [to - from])));
}
