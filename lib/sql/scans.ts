import type { JsonValue } from '../core/json-value.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';
import { isNode, type Node, nodeAt, nodesAt, printTree, readTree, textAt, walk } from './tree.ts';
import { engineSql } from './user-sql.ts';

/**
 * What a query reads of tables, as DuckDB's optimizer finds it over empty ones: the columns, and conditions that every row
 * which counts meets.
 */

/** Optimizers that go by how many rows there are, or that make plans which DuckDB cannot write down. */
const BY_ROWS = [
  'in_clause',
  'statistics_propagation',
  'empty_result_pullup',
  'join_order',
  'build_side_probe_side',
  'compressed_materialization',
  'row_group_pruner',
  'limit_pushdown',
  'top_n',
  'top_n_window_elimination',
  'join_filter_pushdown',
  'late_materialization',
  'common_subplan',
  'join_elimination',
  'window_self_join',
  'sampling_pushdown',
  'sum_rewriter',
  'common_subexpressions',
  'common_aggregate',
  'materialized_cte',
  'duplicate_groups',
  'reorder_filter',
  'column_lifetime',
];

/** For a session in which queries are only planned. */
export function limitOptimizers(): Statement {
  return { name: 'optimizers', text: sql`SET disabled_optimizers = ${quoteText(BY_ROWS.join(','))}` };
}

/** All rows of a relation. */
export function selectAll(relation: Sql): Sql {
  return sql`SELECT * FROM ${relation}`;
}

/** DuckDB's plan of a query as text in a column `result`. */
export function planQuery(query: Sql): Statement {
  return {
    name: 'plan',
    text: sql`SELECT CAST(json_serialize_plan(${quoteText(query)}, optimize := true) AS VARCHAR) AS result`,
  };
}

/** The same of a query that DuckDB printed. */
export function planPrinted(text: string): Statement {
  return planQuery(engineSql(text));
}

export type ScanComparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** A value as DuckDB keeps it: days, microseconds, unscaled decimals. */
export type ScanValue = { readonly type: string; readonly text: string };

/** A condition on a column. */
export type ScanCondition = { readonly column: string } & (
  | { readonly op: ScanComparison; readonly value: ScanValue }
  | { readonly op: 'in'; readonly values: readonly ScanValue[] }
  | { readonly op: 'isNull' | 'notNull' }
);

/** One place of a query that reads a table. */
export type TableScan = {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  /** Those of the conditions among them. */
  readonly columns: readonly string[];
  /** All hold for a row that counts. */
  readonly where: readonly ScanCondition[];
};

/** Each of these may double the plan of the one that reads it twice. */
const MOST_INLINED = 8;

/**
 * The statement that prints a query, by the tree that `serializeSql` has of it, with its common table expressions in the
 * place of their names: a plan that computes them once cannot be written down where nobody reads all of their columns.
 * `undefined` where it has none, or very many.
 */
export function inlineTables(tree: string): Statement | undefined {
  let count = 0;
  const inline = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map((entry: JsonValue) => inline(entry));
    if (!isNode(value)) return value;
    const copy: Node = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inline(inner)]));
    if (copy['materialized'] === undefined) return copy;
    count += 1;
    return { ...copy, materialized: 'CTE_MATERIALIZE_NEVER' };
  };
  const inlined = inline(readTree(tree));
  return count === 0 || count > MOST_INLINED ? undefined : printTree(inlined);
}

/** Every place that reads a table; `undefined` where DuckDB could not plan the query. */
export function readScans(plan: string): readonly TableScan[] | undefined {
  const tree = treeOf(plan);
  if (!isNode(tree) || tree['error'] !== false) return undefined;
  return [...walk(tree['plans'])].flatMap((node) => (node['type'] === 'LOGICAL_GET' ? scanOf(node) : []));
}

/** DuckDB writes numbers into plans that are none in JSON, such as an infinity. */
function treeOf(plan: string): JsonValue {
  try {
    return readTree(plan);
  } catch {
    return null;
  }
}

function scanOf(get: Node): readonly TableScan[] {
  const table = nodeAt(get, 'function_data');
  if (textAt(get, 'name') !== 'seq_scan' || table === undefined) return [];
  const names = Array.isArray(get['names']) ? get['names'] : [];
  const nameAt = (index: JsonValue | undefined): readonly string[] => {
    const name = names[Number(index)];
    return typeof name === 'string' ? [name] : [];
  };
  const filters = nodesAt(nodeAt(get, 'table_filters') ?? {}, 'filters').flatMap(({ key, value }) =>
    nameAt(key).map((column) => ({ column, value })),
  );
  const read = nodesAt(get, 'column_indexes').flatMap(({ index }) => nameAt(index));
  return [
    {
      database: textAt(table, 'catalog'),
      schema: textAt(table, 'schema'),
      table: textAt(table, 'table'),
      columns: [...new Set([...read, ...filters.map(({ column }) => column)])],
      where: filters.flatMap(({ column, value }) => conditionsOf(column, value)),
    },
  ];
}

const COMPARISONS: Readonly<Record<string, ScanComparison>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '!=',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
};

/** The conditions of a filter that are understood; what is not asks nothing of a row. */
function conditionsOf(column: string, filter: JsonValue | undefined): readonly ScanCondition[] {
  if (!isNode(filter)) return [];
  switch (filter['filter_type']) {
    // It only helps to skip rows that a condition above it leaves out anyway.
    case 'OPTIONAL_FILTER':
      return conditionsOf(column, filter['child_filter']);
    case 'CONJUNCTION_AND':
      return nodesAt(filter, 'child_filters').flatMap((child) => conditionsOf(column, child));
    case 'CONJUNCTION_OR':
      return anyOf(
        column,
        nodesAt(filter, 'child_filters').map((child) => conditionsOf(column, child)),
      );
    case 'CONSTANT_COMPARISON': {
      const op = COMPARISONS[textAt(filter, 'comparison_type')];
      const value = plainValue(filter['constant']);
      return op === undefined || value === undefined ? [] : [{ column, op, value }];
    }
    case 'IN_FILTER':
      return oneOf(column, nodesAt(filter, 'values'));
    case 'IS_NULL':
      return [{ column, op: 'isNull' }];
    case 'IS_NOT_NULL':
      return [{ column, op: 'notNull' }];
    case 'EXPRESSION_FILTER':
      return expressionOf(column, nodeAt(filter, 'expr') ?? {});
    default:
      return [];
  }
}

/** An expression over the column alone, which is its first operand. */
function expressionOf(column: string, expression: Node): readonly ScanCondition[] {
  const [operand, ...others] = nodesAt(expression, 'children');
  if (operand?.['type'] !== 'BOUND_REF') return [];
  switch (expression['type']) {
    case 'OPERATOR_IS_NULL':
      return [{ column, op: 'isNull' }];
    case 'OPERATOR_IS_NOT_NULL':
      return [{ column, op: 'notNull' }];
    case 'COMPARE_IN':
      return oneOf(
        column,
        others.map((one) => (one['type'] === 'VALUE_CONSTANT' ? (nodeAt(one, 'value') ?? {}) : {})),
      );
    default:
      return [];
  }
}

/** Values of which one has to be equal; a null among them is equal to none. */
function oneOf(column: string, nodes: readonly Node[]): readonly ScanCondition[] {
  const given = nodes.filter((node) => node['is_null'] !== true);
  const values = given.flatMap((node) => plainValue(node) ?? []);
  return values.length < given.length || values.length === 0 ? [] : [{ column, op: 'in', values }];
}

/** Alternatives, where each is that the column has one value. */
function anyOf(column: string, all: readonly (readonly ScanCondition[])[]): readonly ScanCondition[] {
  const values = all.flatMap(([only, ...others]) => {
    if (only === undefined || others.length > 0) return [];
    if (only.op === 'in') return [only.values];
    return only.op === '=' ? [[only.value]] : [];
  });
  return values.length < all.length || values.length === 0 ? [] : [{ column, op: 'in', values: values.flat() }];
}

/** Of plain values; those that DuckDB keeps in two halves are left out. */
function plainValue(node: JsonValue | undefined): ScanValue | undefined {
  if (!isNode(node) || node['is_null'] === true) return undefined;
  const { value } = node;
  if (value === undefined || value === null || Array.isArray(value) || isNode(value)) return undefined;
  const type = nodeAt(node, 'type') ?? {};
  const info = nodeAt(type, 'type_info');
  const scale = info === undefined ? '' : `(${String(info['width'])},${String(info['scale'])})`;
  return { type: `${textAt(type, 'id')}${scale}`, text: String(value) };
}
