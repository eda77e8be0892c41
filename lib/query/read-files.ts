import type { Sql } from '../core/sql-text.ts';
import { databaseOf } from '../core/tables.ts';
import { columnsOf, currentSchema, schemaById } from '../iceberg/schema.ts';
import { currentSnapshot } from '../iceberg/snapshot.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import { findNeeds, NEEDS_ALL, predicatesOf, type ReadNeeds } from '../lake/tables/read-needs.ts';
import { openTable } from '../lake/tables/table-state.ts';
import type { Borrowed, Session } from '../ports.ts';
import { createTableAt } from '../sql/bind.ts';
import { createSchemas, type ViewName } from '../sql/scan.ts';
import type { ScanOptions } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import type { FoundTable } from './find-table.ts';
import { maskedColumns } from './masked-columns.ts';
import { type LakeMoment, snapshotAt } from './moment.ts';

/** A table as a query reads it: by the schema of the time of a snapshot, where it is one of the past. */
export type QueriedTable = {
  readonly name: ViewName;
  readonly metadata: TableMetadata;
  readonly snapshotId?: bigint;
};

export function queriedTable({ id, metadata }: FoundTable, moment: LakeMoment | undefined): QueriedTable {
  const name = { schema: databaseOf(id), table: id.name };
  if (moment === undefined) return { name, metadata };
  const snapshot = snapshotAt({ id, metadata, metadataLocation: '' }, moment);
  const schema = schemaById(metadata, snapshot['schema-id'] ?? metadata['current-schema-id']);
  const then = { ...metadata, 'current-schema-id': schema['schema-id'] };
  return { name, metadata: then, snapshotId: snapshot['snapshot-id'] };
}

/** Tables of so few files are read sooner than it is known which of them have rows that count. */
const FEW_FILES = 16;

/** What a query asks of each of its tables, as the engine plans it. A query that it cannot plan has said so before, or reads all. */
export async function needsOf(deps: QueryDeps, query: Sql, tables: readonly QueriedTable[]): Promise<ReadNeeds> {
  if (tables.every(({ metadata }) => filesOf(metadata) <= FEW_FILES)) return NEEDS_ALL;
  return findNeeds(deps, query, async (session) => {
    for (const statement of createSchemas([...new Set(tables.map(({ name }) => name.schema))])) {
      await session.run(statement);
    }
    for (const { name, metadata } of tables) {
      await session.run(createTableAt([name.schema, name.table], columnsOf(currentSchema(metadata))));
    }
  });
}

function filesOf(metadata: TableMetadata): number {
  const snapshot = currentSnapshot(metadata);
  return snapshot === undefined ? 0 : Number(snapshot.summary['total-data-files'] ?? Number.POSITIVE_INFINITY);
}

/** A view over the files of a table that may hold a row which counts. */
export function openQueried(
  { store, hidesPersonal }: Pick<QueryDeps, 'store' | 'hidesPersonal'>,
  session: Session,
  { name, metadata, snapshotId }: QueriedTable,
  needs: ReadNeeds,
): Promise<Borrowed> {
  // Masked values are not those by which files are told apart.
  const whole = hidesPersonal === true && maskedColumns(metadata).length > 0;
  const alternatives = (whole ? NEEDS_ALL : needs)(name)?.alternatives.map((conditions) =>
    predicatesOf(metadata, conditions),
  );
  const scan: ScanOptions = {
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(alternatives === undefined ? {} : { alternatives }),
  };
  return openTable(store, session, name, metadata, columnsOf(currentSchema(metadata)), scan);
}
