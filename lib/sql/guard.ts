import type { Statement } from '../core/statement.ts';

/**
 * Expressions that answer instead of raising, for the second look at rows among which one raised. DuckDB's TRY works row
 * by row where a vector raises, and in 1.5.5 loses values or crashes when what stands in it is CASE, COALESCE, AND or OR
 * rather than a function; so a function stands in it here, always.
 */

/** True or false: false where the condition, which is never NULL, raises. */
export function guardCondition(condition: string): string {
  return `COALESCE(TRY(least(${condition}, true)), false)`;
}

/** The value, NULL where it raises. */
export function guardValue(value: string): string {
  return `TRY(list_value(${value}))[1]`;
}

/** Whether an expression raises. */
export function raises(expression: string): string {
  return `(TRY(hash(${expression})) IS NULL)`;
}

/**
 * Optimizers that no session may have, and others. `common_subexpressions` takes an expression that stands in two places
 * out of both, and out of TRY with them.
 */
export function disableOptimizers(others: readonly 'common_subexpressions'[]): Statement {
  return { name: 'optimizers', text: `SET disabled_optimizers = '${['in_clause', ...others].join(',')}'` };
}
