import { RUN_ID } from '../iceberg/snapshot.ts';
import type { TableMetadata } from '../iceberg/types.ts';

/** The runs of a pipeline in the order in which they published, whatever the clock said then. */
export type RunOrder = {
  readonly ids: readonly string[];
  /** Milliseconds since the epoch by which each run counts as published; they never fall. */
  readonly times: readonly number[];
};

/** How far a run without a place of its own stands behind the one before: many stand between two that have one. */
const AFTER = 2 ** -20;

/**
 * Orders a pipeline's runs by its table of runs, to which each adds one snapshot when it has published. Runs that are
 * not in it (a release of quarantined rows, a run that died after its last commit) follow those whose snapshots they
 * follow. A run's time is that of its earliest snapshot, or what its clock said at the end if that is less: tables
 * never go back in time, so that a snapshot after one of the future bears its time. Runs whose clocks contradict most
 * others' take the time of the next one.
 */
export function orderRuns(
  runs: TableMetadata | undefined,
  tables: readonly TableMetadata[],
  finished: ReadonlyMap<string, number>,
): RunOrder {
  const places = new Map(runsIn(runs).map((id, at) => [id, at]));
  const times = new Map(finished);
  for (const table of tables) {
    let place = -1;
    let previous: bigint | undefined;
    for (const { summary, 'timestamp-ms': time, 'parent-snapshot-id': parent, ...snapshot } of table.snapshots) {
      const id = summary[RUN_ID];
      // Those that it follows have expired.
      if (parent !== undefined && parent !== previous) place = Math.max(place, lastBefore(runs, places, time));
      previous = snapshot['snapshot-id'];
      if (id === undefined) continue;
      times.set(id, Math.min(Number(time), times.get(id) ?? Number.POSITIVE_INFINITY));
      const known = places.get(id);
      place = known ?? place + AFTER;
      if (known === undefined) places.set(id, place);
    }
  }
  const ids = [...places.keys()].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  return { ids, times: straighten(ids.map((id) => times.get(id) ?? Number.POSITIVE_INFINITY)) };
}

/** The place of the last run that was written down by a time. */
function lastBefore(runs: TableMetadata | undefined, places: ReadonlyMap<string, number>, time: bigint): number {
  const before = runs?.snapshots.findLast((snapshot) => snapshot['timestamp-ms'] <= time)?.summary[RUN_ID];
  return before === undefined ? -1 : (places.get(before) ?? -1);
}

/** Ids of the runs that a table has snapshots of, in their order. */
export function runsIn(table: TableMetadata | undefined): readonly string[] {
  return [...new Set(table?.snapshots.flatMap(({ summary }) => summary[RUN_ID] ?? []))];
}

/** Times that never fall: the longest part that does not is believed, the others take the time of the next of it. */
export function straighten(times: readonly number[]): readonly number[] {
  const believed = longestRise(times);
  const straight: number[] = [];
  let next = Number.POSITIVE_INFINITY;
  for (let at = times.length - 1; at >= 0; at -= 1) {
    if (believed.has(at)) next = times[at] ?? next;
    straight[at] = next;
  }
  return straight;
}

/** Places of a longest subsequence that does not fall; of several, one with the later places. */
function longestRise(times: readonly number[]): ReadonlySet<number> {
  /** By length, less one: the place of the least last time of a subsequence of that length. */
  const tails: number[] = [];
  const before: (number | undefined)[] = [];
  for (const [at, time] of times.entries()) {
    let [from, to] = [0, tails.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((times[tails[middle] ?? 0] ?? 0) <= time) from = middle + 1;
      else to = middle;
    }
    before[at] = tails[from - 1];
    tails[from] = at;
  }
  const rise = new Set<number>();
  for (let at = tails.at(-1); at !== undefined; at = before[at]) rise.add(at);
  return rise;
}
