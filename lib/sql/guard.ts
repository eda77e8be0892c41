import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';

/**
 * Expressions that answer instead of raising, for the second look at rows among which one raised. DuckDB's TRY works row
 * by row where a vector raises, and in 1.5.5 loses values or crashes when what stands in it is CASE, COALESCE, AND or OR
 * rather than a function; so a function stands in it here, always.
 */

/** True or false: false where the condition, which is never NULL, raises. */
export function guardCondition(condition: Sql): Sql {
  return sql`COALESCE(TRY(least(${condition}, true)), false)`;
}

/** The value, NULL where it raises. */
export function guardValue(value: Sql): Sql {
  return sql`TRY(list_value(${value}))[1]`;
}

/** Whether an expression raises. */
export function raises(expression: Sql): Sql {
  return sql`(TRY(hash(${expression})) IS NULL)`;
}

/**
 * Optimizers that no session may have, and others. `common_subexpressions` takes an expression that stands in two places
 * out of both, and out of TRY with them.
 */
export function disableOptimizers(others: readonly 'common_subexpressions'[]): Statement {
  return { name: 'optimizers', text: sql`SET disabled_optimizers = ${quoteText(['in_clause', ...others].join(','))}` };
}
