import { addRequests, PAGE, PART_BYTES, type Requests, times } from '../core/requests.ts';
import type { RunStepName } from '../core/states.ts';
import type { RunShape } from './run-shape.ts';
import type { RunWork, UnitWork } from './run-work.ts';

/** Every call of a function looks at the lock before it begins. */
const LOOK: Requests = { get: 1, put: 0 };
/**
 * A map reads its list of items and writes a manifest and a list of results.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
 */
const MAP: Requests = { get: 1, put: 2 };
/** Level reads the list of the units that it does. */
const LIST: Requests = { get: 1, put: 0 };
/** Once a run has ended its metrics are measured, by its result, its plan and the last that succeeded. */
const METRICS: Requests = { get: 4, put: 1 };

/**
 * What is asked for around the steps, which count only their own: by the frame of each call, the maps and the metrics,
 * which are not of a dry run.
 */
export function requestsAround({ calls, maps, lists }: RunShape, dryRun = false): Requests {
  const functions = Object.values(calls).reduce((sum, count) => sum + count, 0);
  return addRequests(times(LOOK, functions), times(MAP, maps), times(LIST, lists), ...(dryRun ? [] : [METRICS]));
}

/**
 * Of one call of a step, apart from its files, its tables and its level: counted in runs of the samples, of which
 * estimates are within 1.5 times, or twice for new tables (test/pipelines/estimates.test.ts).
 */
export const CALLS: Readonly<Record<RunStepName, Requests>> = {
  Open: { get: 10, put: 10 },
  // All that it does is done by the steps that are part of it.
  Level: { get: 0, put: 0 },
  PlanStage: { get: 12, put: 4 },
  Stage: { get: 14, put: 4 },
  PlanMerge: { get: 6, put: 1 },
  Merge: { get: 15, put: 4 },
  Audit: { get: 3, put: 1 },
  // Of a pipeline whose runs have to be approved; beside what it reads of tables.
  Gate: { get: 15, put: 2 },
  Commit: { get: 50, put: 17 },
  Serve: { get: 12, put: 2 },
  Finish: { get: 12, put: 5 },
};

/** Of a level: what Finish reads and lists of it. */
const LEVEL: Requests = { get: 9, put: 2 };

/** Of a table that is written: its audit, its manifests and its commit. */
export const TABLE: Requests = { get: 15, put: 5 };
/** Of one that exists: what it is has to be read. */
const EXISTING: Requests = { get: 9, put: 0 };

/** All requests of a run that has yet to be. */
export function estimateRequests(shape: RunShape, work: RunWork): Requests {
  const { files, tables, existing, reads, writes, levels } = work;
  const done = (step: RunStepName): number => shape.calls[step] + shape.within[step];
  const units: readonly UnitWork[] = levels.flatMap(({ stage, merge }) => [...stage, ...merge]);
  const parts = units.reduce((sum, { bytes }) => sum + Math.floor(bytes / PART_BYTES), 0);
  const steps = Object.entries(CALLS).map(([step, requests]) => times(requests, done(step as RunStepName)));
  return addRequests(
    ...steps,
    times(LEVEL, levels.length),
    times(TABLE, tables),
    times(EXISTING, existing),
    { get: files + reads + writes + parts, put: writes + Math.floor(files / PAGE) },
    requestsAround(shape),
  );
}
