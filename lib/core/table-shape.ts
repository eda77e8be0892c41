import type { Renamed } from './renames.ts';
import type { PartitionField } from './spec.ts';
import type { TableId } from './tables.ts';
import type { Column } from './types.ts';

/** A table that a model writes: its own, or the log of a keyed model. */
export type TableShape = {
  /** The id under which the run knows the table: the model's, or `<model>__log`. */
  readonly id: string;
  readonly table: TableId;
  readonly columns: readonly Column[];
  readonly partitionBy: readonly PartitionField[];
  readonly sortBy: readonly string[];
  /** The identifier for a table that this run creates. */
  readonly uuid: string;
  /** Of `columns` those that the table has and the model does not: new rows have null there. */
  readonly kept?: readonly Column[];
  /** By a column's name: those that it had before. A table that has one of these and not the other follows. */
  readonly renamed?: Renamed;
  /** What the table's properties have to say, beside the model's name. */
  readonly properties?: Readonly<Record<string, string>>;
  /** All rows are replaced, so that the table takes the model's columns and no others. */
  readonly whole?: boolean;
};
