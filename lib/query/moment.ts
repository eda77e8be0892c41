import { InvalidInput } from '../core/errors.ts';
import { fullName, type TableId } from '../core/tables.ts';
import { EXPIRED_AT } from '../iceberg/expire.ts';
import { findRun, RUN_ID, snapshotById } from '../iceberg/snapshot.ts';
import { taggedSnapshot } from '../iceberg/tags.ts';
import type { Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { Catalog } from '../ports.ts';
import { loadTable } from '../table/read.ts';
import type { FoundTable } from './find-table.ts';
import { orderRuns, type RunOrder } from './run-order.ts';

/** A moment in the life of a lake: the state that some run left, in each pipeline the same for all of its tables. */
export type LakeMoment = {
  /** As it was asked for. */
  readonly text: string;
  /** The one snapshot that was asked for by its id. */
  readonly snapshotId: bigint | undefined;
  /** The tag that was asked for: tables that have it are as it says. */
  readonly tag?: string;
  /** By pipeline: the place of each run in the order of runs, and that of the last one that counts. */
  readonly pipelines: ReadonlyMap<string, Point>;
  /** Milliseconds since the epoch, for snapshots that no run made. */
  readonly time: number;
};

/** By run id: what the clock said when the run ended, in ms since the epoch, as far as a pipeline's books know it. */
export type FinishTimes = (pipeline: string) => Promise<ReadonlyMap<string, number>>;

/**
 * What `--as-of` means: the id of a run that published something, else a tag or a snapshot id of one of the query's tables, else
 * a date or time (UTC where it names no zone; a date is its first moment). A snapshot stands for the run that made it,
 * and a time for the last run that had published by then, in the order of runs and not of what their clocks said: so
 * that a query over several tables sees them as they were together. Throws InvalidInput when it is none of these.
 */
export async function parseMoment(
  catalog: Catalog,
  text: string,
  tables: readonly FoundTable[],
  finishTimes: FinishTimes = async () => new Map(),
): Promise<LakeMoment> {
  const orders = await readOrders(catalog, finishTimes);
  const run = momentOfRun(orders, text, text);
  if (run !== undefined) return run;
  const tagged = tables.flatMap(({ metadata }) => taggedSnapshot(metadata, text) ?? [])[0];
  if (tagged !== undefined) return { ...momentOfSnapshot(orders, text, tagged), tag: text };
  const owner = /^\d{1,19}$/.test(text) ? ownerOf(BigInt(text), tables) : undefined;
  if (owner !== undefined) return { ...momentOfSnapshot(orders, text, owner), snapshotId: owner['snapshot-id'] };
  const time = parseTime(text);
  if (time !== undefined) return momentOfTime(orders, text, time);
  requireKept(orders, text);
  const names = tables.map((table) => fullName(table.id)).join(', ') || 'a table of the query';
  throw new InvalidInput(
    `--as-of: got ${JSON.stringify(text)}; expected the id of a run that published something (see strata runs), ` +
      `a tag or a snapshot id of ${names} (see strata history), or a time such as 2026-01-31T12:00:00Z`,
  );
}

/** Throws InvalidInput for a run that ended, and of which no table has a snapshot any more. */
function requireKept(orders: Orders, runId: string): void {
  for (const { finished } of orders.values()) {
    const at = finished.get(runId);
    if (at === undefined) continue;
    throw new InvalidInput(
      `--as-of: run ${runId} ended on ${isoTime(at)}, and no table has a snapshot of it: what it published has expired, or it ` +
        'published nothing; strata history names the moments that a table can be read at',
    );
  }
}

/**
 * The snapshot of a table at a moment: the last one of the runs up to then, and what others committed in between.
 * Throws InvalidInput for a table that had no snapshot then.
 */
export function snapshotAt(table: FoundTable, moment: LakeMoment): Snapshot {
  const found = snapshotIfAny(table, moment);
  if (found !== undefined) return found;
  const [first] = table.metadata['snapshot-log'];
  const since = first === undefined ? 'it has none' : `its first is of ${isoTime(Number(first['timestamp-ms']))}`;
  throw new InvalidInput(`${fullName(table.id)} had no snapshot as of ${moment.text}; ${since}`);
}

/** The same, or undefined for a table that had none yet. Throws InvalidInput for one that has forgotten what it was. */
export function snapshotIfAny({ id, metadata }: FoundTable, moment: LakeMoment): Snapshot | undefined {
  const tagged = moment.tag === undefined ? undefined : taggedSnapshot(metadata, moment.tag);
  const asked = moment.snapshotId === undefined ? tagged : snapshotById(metadata, moment.snapshotId);
  const point = moment.pipelines.get(id.pipeline);
  // A snapshot that a tag has kept stands in no log.
  const found =
    asked ?? lastUpTo(metadata, moment, point) ?? (point?.run === undefined ? undefined : findRun(metadata, point.run));
  const [first] = metadata['snapshot-log'];
  if (found === undefined && first !== undefined && hasForgotten(metadata)) {
    throw new InvalidInput(
      `${fullName(id)} cannot be read as of ${moment.text}: its snapshots of then have expired${expiredOn(metadata)}; ` +
        `the oldest moment is ${isoTime(Number(first['timestamp-ms']))} (see strata history)`,
    );
  }
  return found;
}

/** Whether the table was something before the first moment that its log knows. */
function hasForgotten(metadata: TableMetadata): boolean {
  const [first] = metadata['snapshot-log'];
  const snapshot = first && snapshotById(metadata, first['snapshot-id']);
  return metadata.properties[EXPIRED_AT] !== undefined || snapshot?.['parent-snapshot-id'] !== undefined;
}

function expiredOn({ properties }: TableMetadata): string {
  const at = properties[EXPIRED_AT];
  return at === undefined ? '' : ` (strata expire, last on ${at})`;
}

/** The order of a pipeline's runs, and the last one that counts. */
type Point = {
  readonly places: ReadonlyMap<string, number>;
  readonly last: number;
  readonly run?: string | undefined;
};

function lastUpTo(metadata: TableMetadata, { time }: LakeMoment, point: Point | undefined): Snapshot | undefined {
  let found: Snapshot | undefined;
  for (const entry of metadata['snapshot-log']) {
    const snapshot = snapshotById(metadata, entry['snapshot-id']);
    if (snapshot === undefined) continue;
    const place = point?.places.get(snapshot.summary[RUN_ID] ?? '');
    if (place !== undefined && place > (point?.last ?? -1)) break;
    if (place !== undefined || Number(entry['timestamp-ms']) <= time) found = snapshot;
  }
  return found;
}

/** A snapshot stands for the run that made it. */
function momentOfSnapshot(orders: Orders, text: string, snapshot: Snapshot): LakeMoment {
  const runId = snapshot.summary[RUN_ID];
  const made = runId === undefined ? undefined : momentOfRun(orders, text, runId);
  return made ?? momentOfTime(orders, text, Number(snapshot['timestamp-ms']));
}

function ownerOf(snapshotId: bigint, tables: readonly FoundTable[]): Snapshot | undefined {
  for (const { metadata } of tables) {
    const snapshot = snapshotById(metadata, snapshotId);
    if (snapshot !== undefined) return snapshot;
  }
  return undefined;
}

/** By pipeline: its runs, and until when each of them has left snapshots. A run_id is unique in its pipeline only. */
type Orders = ReadonlyMap<string, PipelineRuns>;

type PipelineRuns = RunOrder & {
  readonly published: ReadonlyMap<string, number>;
  /** What the pipeline's books say of all of its runs. */
  readonly finished: ReadonlyMap<string, number>;
};

async function readOrders(catalog: Catalog, finishTimes: FinishTimes): Promise<Orders> {
  const tables = new Map<string, { id: TableId; metadata: TableMetadata }[]>();
  for (const id of await catalog.list()) {
    const entry = await loadTable(catalog, id);
    if (entry === undefined) continue;
    tables.set(id.pipeline, [...(tables.get(id.pipeline) ?? []), { id, metadata: entry.metadata }]);
  }
  const orders = new Map<string, PipelineRuns>();
  for (const [pipeline, own] of tables) {
    const runs = own.find(({ id }) => id.layer === 'ops' && id.name === 'runs')?.metadata;
    const all = own.map(({ metadata }) => metadata);
    const finished = runs === undefined ? new Map<string, number>() : await finishTimes(pipeline);
    orders.set(pipeline, { ...orderRuns(runs, all, finished), published: publishedIn(all), finished });
  }
  return orders;
}

function publishedIn(tables: readonly TableMetadata[]): ReadonlyMap<string, number> {
  const published = new Map<string, number>();
  for (const { summary, 'timestamp-ms': time } of tables.flatMap((table) => table.snapshots)) {
    const id = summary[RUN_ID];
    if (id !== undefined) published.set(id, Math.max(Number(time), published.get(id) ?? 0));
  }
  return published;
}

function momentOfRun(orders: Orders, text: string, runId: string): LakeMoment | undefined {
  const having = [...orders.values()].filter((order) => order.published.has(runId));
  if (having.length === 0) return undefined;
  // For other pipelines: when the run counts as published, which is late if it is several pipelines' run.
  const time = Math.max(...having.map((order) => order.published.get(runId) ?? 0));
  const counted = Math.max(...having.map((order) => order.times[order.ids.indexOf(runId)] ?? 0));
  const other = momentOfTime(orders, text, Number.isFinite(counted) ? counted : time);
  const pipelines = new Map(
    [...orders].map(([pipeline, order]) => {
      const last = order.ids.indexOf(runId);
      return [pipeline, last < 0 ? (other.pipelines.get(pipeline) ?? NOWHERE) : pointOf(order, last)];
    }),
  );
  return { text, snapshotId: undefined, pipelines, time };
}

const NOWHERE: Point = { places: new Map(), last: -1 };

function momentOfTime(orders: Orders, text: string, time: number): LakeMoment {
  const pipelines = new Map(
    [...orders].map(([pipeline, order]) => [
      pipeline,
      pointOf(
        order,
        order.times.findLastIndex((one) => one <= time),
      ),
    ]),
  );
  return { text, snapshotId: undefined, pipelines, time };
}

function pointOf({ ids }: RunOrder, last: number): Point {
  return { places: new Map(ids.map((id, at) => [id, at])), last, run: ids[last] };
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** ISO 8601, and the way DuckDB prints times; `undefined` for other text and for impossible dates. */
export function parseTime(text: string): number | undefined {
  const [, day, clock = '00:00', zone = 'Z'] = TIME.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const offset = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').toUpperCase();
  const time = Date.parse(`${day}T${clock}${offset}`);
  // JavaScript takes February 30th for March 2nd.
  const sameDay = new Date(Date.parse(`${day}T00:00:00Z`));
  return Number.isNaN(time) || isoTime(sameDay.getTime()).slice(0, 10) !== day ? undefined : time;
}

function isoTime(ms: number): string {
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
}
