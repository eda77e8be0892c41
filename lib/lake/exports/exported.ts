import type { ExportSpec, ExportState } from '../../core/exports.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Column } from '../../core/types.ts';
import type { Session } from '../../ports.ts';
import type { LockedRun } from '../run/lock.ts';

/** A table whose rows are exported, and in a session. */
export type ExportedTable = {
  readonly model: string;
  readonly relation: Sql;
  readonly columns: readonly Column[];
  readonly sortBy: readonly string[];
  /** Of the snapshot whose rows these are; null where the table has none. */
  readonly snapshot_id: string | null;
};

/** Who exports, and when: the run that published the table, or the command that was asked. */
export type Exporter = {
  readonly run: LockedRun;
  /** ISO instant. */
  readonly at: string;
  readonly session: Session;
};

/** A row of the table of exports. */
export type ExportRow = {
  readonly run_id: string;
  readonly model: string;
  readonly kind: ExportSpec['kind'];
  readonly target: string;
  readonly period: string | null;
  readonly key: string | null;
  readonly state: ExportState;
  readonly reason: string | null;
  readonly object: string | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly etag: string | null;
  readonly snapshot_id: string | null;
  readonly exported_at: string;
};

export function rowOf(
  { run, at }: Exporter,
  { model, snapshot_id }: ExportedTable,
  own: Omit<ExportRow, 'run_id' | 'model' | 'snapshot_id' | 'exported_at'>,
): ExportRow {
  return { run_id: run.run_id, model, snapshot_id, exported_at: at, ...own };
}
