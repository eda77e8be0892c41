import type { Sql } from '../../core/sql-text.ts';
import type { Column, ColumnType } from '../../core/types.ts';
import { renderScalarText } from '../../iceberg/partition-path.ts';
import { columnRange } from '../../iceberg/scan.ts';
import { currentSchema, fieldByName } from '../../iceberg/schema.ts';
import { parseScalarText } from '../../iceberg/text.ts';
import type { DataFile, IcebergType, IcebergValue, TableMetadata } from '../../iceberg/types.ts';
import { compareValues, firstNotBelow } from '../../iceberg/values.ts';
import type { Session } from '../../ports.ts';
import { countFresh, findCandidates, listValues, type TextRange } from '../../sql/candidates.ts';

/** New rows that are to be held against those of a table. */
export type FreshRows = {
  readonly from: Sql;
  /** The columns that have to be equal, as the table is to have them. */
  readonly by: readonly Column[];
  /** Whether nulls are equal to each other. */
  readonly nulls: boolean;
};

/** The files that may hold a row which is equal to a new one, by the bounds that the table's manifests have of them. */
export async function candidateFiles<T extends DataFile>(
  session: Session,
  metadata: TableMetadata,
  files: readonly T[],
  { from, by, nulls }: FreshRows,
): Promise<readonly T[]> {
  if (files.length === 0 || by.length === 0) return files;
  const schema = currentSchema(metadata);
  const ranges = files.map((file) => by.map((column) => textRange(fieldByName(schema, column.name), column, file)));
  const found = await session.rows(findCandidates({ from, columns: by, files: ranges, nulls }));
  return found.flatMap((row) => files[Number(row['nth'])] ?? []);
}

/** New rows by whose values parts of files are left out; of more than these, whole files are. */
const MOST_ROWS = 100_000;

type FreshValues = {
  readonly id: number;
  readonly type: string;
  readonly values: readonly IcebergValue[];
  readonly hasNull: boolean;
};

/** Whether a part of a file, with the statistics of that part, may hold a row that is equal to a new one. */
export async function findPartFilter(
  session: Session,
  metadata: TableMetadata,
  { from, by, nulls }: FreshRows,
): Promise<(part: DataFile) => boolean> {
  const schema = currentSchema(metadata);
  if (await isMany(session, from)) return () => true;
  const columns: FreshValues[] = [];
  for (const column of by.filter(isBounded)) {
    const { id, type } = fieldByName(schema, column.name) ?? {};
    if (id === undefined || typeof type !== 'string') continue;
    const rows = await session.rows(listValues(from, column));
    const texts = rows.map(({ value }) => (typeof value === 'string' ? value : null));
    const values = texts.flatMap((text) => (text === null ? [] : [parseScalarText(type, text)]));
    const known = values.filter((value) => value !== undefined);
    if (known.length < values.length) continue;
    columns.push({ id, type, values: known, hasNull: nulls && texts.includes(null) });
  }
  return (part) => columns.every((column) => mayHave(column, part));
}

/** Whether new rows are so many that it is not worth it to look where each may be. */
export async function isMany(session: Session, from: Sql): Promise<boolean> {
  return Number((await session.rows(countFresh(from)))[0]?.['rows']) > MOST_ROWS;
}

function mayHave({ id, type, values, hasNull }: FreshValues, part: DataFile): boolean {
  const { lower, upper, mayBeNull, mayBeValue } = columnRange(type, id, part);
  if (hasNull && mayBeNull) return true;
  if (!mayBeValue) return false;
  if (lower === undefined || upper === undefined) return true;
  const next = values[firstNotBelow(values, lower)];
  return next !== undefined && compareValues(next, upper) <= 0;
}

const ANYTHING: TextRange = { lower: null, upper: null, mayBeNull: true, mayBeValue: true };

/** A column that is new to the table is null in all of its rows. */
const NULLS: TextRange = { ...ANYTHING, mayBeValue: false };

/** What floats hold beside their bounds (NaN), bytes, truth values and nested values bound nothing here. */
const BOUNDED: ReadonlySet<ColumnType['kind']> = new Set([
  'int',
  'bigint',
  'decimal',
  'date',
  'timestamp',
  'timestamptz',
  'string',
]);

/** Whether values of a column are equal where its files say that they may be. */
export function isBounded({ type }: Column): boolean {
  return BOUNDED.has(type.kind);
}

function textRange(
  field: { readonly id: number; readonly type: IcebergType } | undefined,
  column: Column,
  file: DataFile,
): TextRange {
  if (field === undefined) return NULLS;
  if (typeof field.type !== 'string') return ANYTHING;
  const { type } = field;
  const { lower, upper, mayBeNull, mayBeValue } = columnRange(type, field.id, file);
  const text = (value: IcebergValue | undefined): string | null =>
    value === undefined || value === null ? null : renderScalarText(type, value);
  const bounds = isBounded(column) ? { lower: text(lower), upper: text(upper) } : NO_BOUNDS;
  return { ...bounds, mayBeNull, mayBeValue };
}

const NO_BOUNDS = { lower: null, upper: null };
