import { InvalidInput } from '../core/errors.ts';
import { fullName } from '../core/tables.ts';
import { findRun, RUN_ID, snapshotById } from '../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { Catalog } from '../ports.ts';
import { loadTable } from '../table/read.ts';
import type { FoundTable } from './find-table.ts';

/** A moment in the life of a lake: the last snapshots at a time, or those that a run left. */
export type LakeMoment = {
  /** As it was asked for. */
  readonly text: string;
  readonly runId: string | undefined;
  /** The one snapshot that was asked for by its id. */
  readonly snapshotId: bigint | undefined;
  /** By pipeline: when its run had published, in ms since the epoch. A run_id is unique in its pipeline only. */
  readonly published: ReadonlyMap<string, number>;
  /** Milliseconds since the epoch, for tables of other pipelines. */
  readonly time: number;
};

/**
 * What `--as-of` means: the id of a run that published something, else a snapshot id of one of the query's tables, else
 * a date or time (UTC where it names no zone; a date is its first moment). A snapshot stands for the run that made it,
 * so that a query over several tables sees them as they were together. Throws InvalidInput when it is none of these.
 */
export async function parseMoment(catalog: Catalog, text: string, tables: readonly FoundTable[]): Promise<LakeMoment> {
  const run = await momentOfRun(catalog, text, text);
  if (run !== undefined) return run;
  const owner = /^\d{1,19}$/.test(text) ? ownerOf(BigInt(text), tables) : undefined;
  if (owner !== undefined) {
    const runId = owner.summary[RUN_ID];
    const made = runId === undefined ? undefined : await momentOfRun(catalog, text, runId);
    const snapshotId = owner['snapshot-id'];
    if (made !== undefined) return { ...made, snapshotId };
    return { text, runId: undefined, snapshotId, published: new Map(), time: Number(owner['timestamp-ms']) };
  }
  const time = parseTime(text);
  if (time !== undefined) return { text, runId: undefined, snapshotId: undefined, published: new Map(), time };
  const names = tables.map((table) => fullName(table.id)).join(', ');
  throw new InvalidInput(
    `--as-of: got ${JSON.stringify(text)}; expected the id of a run that published something (see strata runs), ` +
      `a snapshot id of ${names || 'a table of the query'} (see strata history), or a time such as 2026-01-31T12:00:00Z`,
  );
}

/**
 * The snapshot of a table at a moment. A table that the run did not write is read as it was when the run had published.
 * Throws InvalidInput for a table that had no snapshot then.
 */
export function snapshotAt({ id, metadata }: FoundTable, moment: LakeMoment): Snapshot {
  const asked = moment.snapshotId === undefined ? undefined : snapshotById(metadata, moment.snapshotId);
  const published = moment.published.get(id.pipeline);
  const made = published === undefined || moment.runId === undefined ? undefined : findRun(metadata, moment.runId);
  const found = asked ?? made ?? lastBefore(metadata, published ?? moment.time);
  if (found !== undefined) return found;
  const [first] = metadata['snapshot-log'];
  const since = first === undefined ? 'it has none' : `its first is of ${isoTime(Number(first['timestamp-ms']))}`;
  throw new InvalidInput(`${fullName(id)} had no snapshot as of ${moment.text}; ${since}`);
}

function lastBefore(metadata: TableMetadata, time: number): Snapshot | undefined {
  const entry = metadata['snapshot-log'].findLast((one) => one['timestamp-ms'] <= BigInt(Math.floor(time)));
  return entry === undefined ? undefined : snapshotById(metadata, entry['snapshot-id']);
}

function ownerOf(snapshotId: bigint, tables: readonly FoundTable[]): Snapshot | undefined {
  for (const { metadata } of tables) {
    const snapshot = snapshotById(metadata, snapshotId);
    if (snapshot !== undefined) return snapshot;
  }
  return undefined;
}

/** The last of a run's snapshots in a pipeline tells when it had published: the pipeline's lock keeps others out. */
async function momentOfRun(catalog: Catalog, text: string, runId: string): Promise<LakeMoment | undefined> {
  const published = new Map<string, number>();
  for (const id of await catalog.list()) {
    const entry = await loadTable(catalog, id);
    const snapshot = entry === undefined ? undefined : findRun(entry.metadata, runId);
    if (snapshot === undefined) continue;
    published.set(id.pipeline, Math.max(Number(snapshot['timestamp-ms']), published.get(id.pipeline) ?? 0));
  }
  if (published.size === 0) return undefined;
  return { text, runId, snapshotId: undefined, published, time: Math.max(...published.values()) };
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
