import { InvalidInput } from '../../core/errors.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { currentSchema, schemaById } from '../../iceberg/schema.ts';
import { currentSnapshot, RUN_ID } from '../../iceberg/snapshot.ts';
import type { Schema, Snapshot, TableMetadata } from '../../iceberg/types.ts';
import type { QueryDeps } from '../deps.ts';
import type { FoundTable } from '../find-table.ts';
import { readFinishTimes } from '../finish-times.ts';
import { type LakeMoment, parseMoment, snapshotAt } from '../moment.ts';

/** A table at a moment. */
export type Side = {
  readonly deps: QueryDeps;
  readonly id: TableId;
  /** With the schema of then as the current one. */
  readonly metadata: TableMetadata;
  /** Undefined: it had no rows yet. */
  readonly snapshot: Snapshot | undefined;
};

/** What is said of a side. */
export type DescribedSide = {
  readonly table: string;
  readonly snapshot_id: string | null;
  readonly run_id: string | null;
  /** ISO instant of the snapshot. */
  readonly time: string | null;
};

/** What a moment means that was given as an option, `--from` or `--to`; nothing given: now. */
export async function momentOf(
  deps: QueryDeps,
  option: '--from' | '--to',
  text: string | undefined,
  tables: readonly FoundTable[],
): Promise<LakeMoment | undefined> {
  if (text === undefined) return undefined;
  await using session = await deps.engine.open(deps.settings);
  try {
    return await parseMoment(deps.catalog, text, tables, (pipeline) => readFinishTimes(deps, session, pipeline));
  } catch (cause) {
    if (!(cause instanceof InvalidInput)) throw cause;
    throw new InvalidInput(cause.message.replace('--as-of', option), [], { cause });
  }
}

/** A table as it is now, or was at a moment. Throws InvalidInput for one that had no snapshot then. */
export function sideAt(deps: QueryDeps, table: FoundTable, moment: LakeMoment | undefined): Side {
  const { id, metadata } = table;
  if (moment === undefined) return { deps, id, metadata, snapshot: currentSnapshot(metadata) };
  return sideOf(deps, table, snapshotAt(table, moment));
}

/** A table as a snapshot of it has it; before its first one it has the columns of now, and no rows. */
export function sideOf(deps: QueryDeps, { id, metadata }: FoundTable, snapshot: Snapshot | undefined): Side {
  const schema = schemaById(metadata, snapshot?.['schema-id'] ?? metadata['current-schema-id']);
  return { deps, id, metadata: { ...metadata, 'current-schema-id': schema['schema-id'] }, snapshot };
}

export function schemaOf({ metadata }: Side): Schema {
  return currentSchema(metadata);
}

/** Whether both are one table of one lake, so that files and field ids mean the same in both. */
export function isOneTable(from: Side, to: Side): boolean {
  return from.deps.store === to.deps.store && from.metadata['table-uuid'] === to.metadata['table-uuid'];
}

export function describeSide({ id, snapshot }: Side): DescribedSide {
  return {
    table: fullName(id),
    snapshot_id: snapshot === undefined ? null : String(snapshot['snapshot-id']),
    run_id: snapshot?.summary[RUN_ID] ?? null,
    time: snapshot === undefined ? null : new Date(Number(snapshot['timestamp-ms'])).toISOString(),
  };
}
