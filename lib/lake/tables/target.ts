import { DESCRIBED_COLUMNS } from '../../core/described.ts';
import { AuditFailed } from '../../core/errors.ts';
import { PERSONAL_COLUMNS } from '../../core/personal.ts';
import type { RunPlan, TableShape } from '../../core/run.ts';
import type { PartitionField } from '../../core/spec.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import type { Column } from '../../core/types.ts';
import { applyChange } from '../../iceberg/apply.ts';
import {
  type Alteration,
  alterSchema,
  alterSort,
  alterSpec,
  type Change,
  createTable,
  joinChanges,
  type NewTable,
} from '../../iceberg/changes.ts';
import { withoutFormerDocs } from '../../iceberg/docs.ts';
import type { IncompatibleColumn } from '../../iceberg/evolve.ts';
import { FEW_METADATA_FILES, keepFewMetadataFiles } from '../../iceberg/metadata-files.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { renameInMapping } from '../../iceberg/rename.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { PartitionSpec, Schema, TableMetadata } from '../../iceberg/types.ts';
import { readableWidened } from '../../iceberg/widened.ts';
import type { ObjectStore } from '../../ports.ts';
import { changedProperties, MODEL } from './table-properties.ts';
import { loadBase } from './table-state.ts';

/** A table that is written to: how it has to be created or altered first, and what its new files follow. */
export type Target = {
  /** Of the model, or the name of an ops table. */
  readonly id: string;
  readonly table: TableId;
  /** The columns of rows that are written; the table may have more. */
  readonly columns: readonly Column[];
  readonly partitionBy: readonly PartitionField[];
  readonly sortBy: readonly string[];
  readonly create: NewTable | undefined;
  readonly alter: Change | undefined;
  readonly schema: Schema;
  readonly spec: PartitionSpec;
};

/** The same with the table as it is to be, before its new files. */
export type PlannedTarget = Target & { readonly metadata: TableMetadata };

/**
 * Same answer for the same plan and base, so that staging, merging and auditing agree on field ids without passing a
 * schema around. Throws AuditFailed when the model's columns cannot follow from the table's.
 */
export function planTarget(store: ObjectStore, base: TableMetadata | undefined, shape: TableShape): PlannedTarget {
  const { id, table, columns, partitionBy, sortBy } = shape;
  const rows = { id, table, columns, partitionBy, sortBy };
  if (base === undefined) {
    const create: NewTable = {
      uuid: shape.uuid,
      location: store.location(tablePrefix(table)),
      columns,
      partitionBy,
      sortBy,
      properties: { [MODEL]: shape.id, ...FEW_METADATA_FILES, ...shape.properties },
    };
    const metadata = applyChange(createTable(create), undefined, 0);
    return {
      ...rows,
      create,
      alter: undefined,
      schema: currentSchema(metadata),
      spec: currentSpec(metadata),
      metadata,
    };
  }
  const alter = planAlter(base, shape);
  const metadata = alter === undefined ? base : applyChange(alter, base, Number(base['last-updated-ms']));
  return { ...rows, create: undefined, alter, schema: currentSchema(metadata), spec: currentSpec(metadata), metadata };
}

/** The target of a shape, on the table as it was when the run was planned. */
export async function loadTarget(store: ObjectStore, plan: RunPlan, shape: TableShape): Promise<PlannedTarget> {
  return planTarget(store, await loadBase(store, plan, shape.id), shape);
}

/** Columns of a table that cannot become those of a shape, in words. */
export function findMisfits(base: TableMetadata, shape: TableShape): readonly string[] {
  const altered = alterColumns(base, shape);
  return altered.kind === 'incompatible' ? altered.columns.map(sayMisfit) : [];
}

function alterColumns(base: TableMetadata, shape: TableShape): Alteration {
  return alterSchema(base, withoutFormerDocs(base, shape.columns), shape);
}

function sayMisfit({ column, got, expected }: IncompatibleColumn): string {
  const spelled = got !== column && got.toLowerCase() === column.toLowerCase();
  return spelled
    ? `${column} is spelled so in the table and ${got} in the pipeline (renamedFrom: '${column}' gives the table the name of now)`
    : `${column} is ${expected} in the table and ${got} in the pipeline`;
}

function planAlter(base: TableMetadata, shape: TableShape): Change | undefined {
  const columns = alterColumns(base, shape);
  if (columns.kind === 'incompatible') {
    const list = columns.columns.map(sayMisfit);
    const remedy =
      shape.whole === true
        ? 'A column that partitions a table keeps its name and type; give the model a new name, or drop its table, and the next ' +
          `run makes it again: strata drop ${fullName(shape.table)} --force`
        : `Only int to bigint, float to double and more decimal digits are possible in place. Make the table anew: strata backfill ${shape.table.pipeline}; or give the column a new name, beside the old one.`;
    throw new AuditFailed(
      `${fullName(shape.table)} cannot take the columns of ${shape.id}: ${list.join('; ')}. ${remedy}`,
    );
  }
  const schemaChange = columns.kind === 'altered' ? columns.change : undefined;
  const altered = schemaChange === undefined ? base : applyChange(schemaChange, base, Number(base['last-updated-ms']));
  const changes = [
    schemaChange,
    alterSpec(altered, shape.partitionBy),
    alterSort(altered, shape.sortBy),
    MODEL in base.properties ? keepFewMetadataFiles(base) : undefined,
    changedProperties(base, {
      // A table whose columns are personal no more, or described, says so.
      ...(base.properties[PERSONAL_COLUMNS] === undefined ? {} : { [PERSONAL_COLUMNS]: '[]' }),
      ...(base.properties[DESCRIBED_COLUMNS] === undefined ? {} : { [DESCRIBED_COLUMNS]: '[]' }),
      ...shape.properties,
      ...renameInMapping(base, shape.renamed),
      // A table that is replaced whole keeps no file of before.
      ...(shape.whole === true ? {} : readableWidened(altered)),
    }),
  ];
  return changes.every((change) => change === undefined) ? undefined : joinChanges(...changes);
}
