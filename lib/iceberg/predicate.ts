import { applyTransform, type IcebergTransform } from './transforms.ts';
import type { IcebergType, IcebergValue } from './types.ts';
import { compareValues } from './values.ts';

/** A condition on one top-level column, with values of the column's type. A list of them is a conjunction. */
export type Predicate = { readonly column: string } & Condition;

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { readonly op: Comparison; readonly value: IcebergValue }
  | { readonly op: 'in'; readonly values: readonly IcebergValue[] }
  | { readonly op: 'isNull' }
  | { readonly op: 'notNull' };

/** What is known of a set of values: of a file's column, of a manifest's partition field, or of one value. */
export type ValueRange = {
  readonly mayBeNull: boolean;
  readonly mayBeValue: boolean;
  readonly mayBeNan: boolean;
  /** Bounds of the values that are neither null nor NaN; undefined: not known. */
  readonly lower: IcebergValue | undefined;
  readonly upper: IcebergValue | undefined;
};

/** The range that holds exactly one value. */
export function rangeOf(value: IcebergValue): ValueRange {
  const nan = Number.isNaN(value);
  const bound = value === null || nan ? undefined : value;
  return { mayBeNull: value === null, mayBeValue: value !== null, mayBeNan: nan, lower: bound, upper: bound };
}

/**
 * Whether a value of the range may meet the condition. False is certain, true is not. NaN is greater than every
 * number, as in DuckDB and Spark; a comparison with null or NaN is never used to exclude anything.
 */
export function mayMatch(condition: Condition, range: ValueRange): boolean {
  switch (condition.op) {
    case 'isNull':
      return range.mayBeNull;
    case 'notNull':
      return range.mayBeValue;
    case 'in':
      return condition.values.some((value) => mayCompare('=', value, range));
    default:
      return mayCompare(condition.op, condition.value, range);
  }
}

function mayCompare(op: Comparison, value: IcebergValue, range: ValueRange): boolean {
  if (value === null || Number.isNaN(value)) return true;
  if (!range.mayBeValue) return false;
  const aboveLower = range.lower === undefined ? 1 : compareValues(value, range.lower);
  const belowUpper = range.upper === undefined ? 1 : compareValues(range.upper, value);
  switch (op) {
    case '=':
      return aboveLower >= 0 && belowUpper >= 0;
    case '!=':
      return range.mayBeNan || range.lower === undefined || aboveLower !== 0 || belowUpper !== 0;
    case '<':
      return aboveLower > 0;
    case '<=':
      return aboveLower >= 0;
    case '>':
      return range.mayBeNan || belowUpper > 0;
    case '>=':
      return range.mayBeNan || belowUpper >= 0;
  }
}

/**
 * The condition that a transform's value meets whenever the source value meets the given one ("inclusive
 * projection"); undefined when nothing follows. Source: https://iceberg.apache.org/spec/#scan-planning.
 */
export function projectCondition(
  transform: IcebergTransform,
  source: IcebergType,
  condition: Condition,
): Condition | undefined {
  if (transform.kind === 'void') return undefined;
  if (transform.kind === 'identity') return condition;
  if (condition.op === 'isNull' || condition.op === 'notNull') return condition;
  const project = (value: IcebergValue): IcebergValue => applyTransform(transform, source, value);
  if (condition.op === 'in') return { op: 'in', values: condition.values.map(project) };
  const value = project(condition.value);
  if (condition.op === '=') return { op: '=', value };
  if (condition.op === '!=' || transform.kind === 'bucket') return undefined;
  // Months, truncations and the like keep order but not strictness: x < 31 January says month <= January.
  return { op: condition.op === '<' || condition.op === '<=' ? '<=' : '>=', value };
}
