import { type DimensionJoin, modelId, type TableRef } from '../core/spec.ts';
import type { JsonValue } from '../ports.ts';
import { type Node, nodeAt, nodesAt, statementsOf, textAt, textsAt, walk } from '../sql/tree.ts';

/** Column names of a table of the pipeline, by id such as `silver.customers`. */
export type ColumnsOf = (id: string) => readonly string[];

/**
 * The tables that could multiply the rows of a row-wise model, so that a run knows to count and whom to blame: silver
 * tables joined directly, then those read in another way by a model that joins. The keys are the columns that a direct
 * join equates. They are empty where the condition has any other part (a range, a filter, IS NOT DISTINCT FROM) or the
 * join is ASOF: the equated columns need not be unique there, so a repeated key would be no mistake.
 */
export function dimensionJoins(
  tree: JsonValue,
  reads: readonly TableRef[],
  columnsOf: ColumnsOf,
): readonly DimensionJoin[] {
  const joins: DimensionJoin[] = [];
  const [select] = statementsOf(tree);
  const first = nodeAt(select ?? {}, 'from_table');
  for (let from = first; from?.['type'] === 'JOIN'; from = nodeAt(from, 'left')) {
    const right = nodeAt(from, 'right') ?? {};
    if (right['type'] !== 'BASE_TABLE' || textAt(right, 'schema_name').toLowerCase() !== 'silver') continue;
    const table: TableRef = { layer: 'silver', name: textAt(right, 'table_name').toLowerCase() };
    joins.unshift({ table, keys: joinKeys(from, right, columnsOf(modelId(table))) });
  }
  const direct = joins.map((join) => modelId(join.table));
  const others = first?.['type'] === 'JOIN' ? reads.filter((read) => !direct.includes(modelId(read))) : [];
  return [...joins, ...others.map((table) => ({ table, keys: [] }))];
}

function joinKeys(join: Node, table: Node, columns: readonly string[]): readonly string[] {
  if (textAt(join, 'ref_type') !== 'REGULAR') return [];
  const using = textsAt(join, 'using_columns');
  if (using.length > 0) return using.map((name) => spelled(name, columns) ?? name);
  const alias = textAt(table, 'alias') || textAt(table, 'table_name');
  const keys = conjuncts(nodeAt(join, 'condition')).map((condition) => equatedColumn(condition, alias, columns));
  return keys.every((key) => key !== undefined) ? [...new Set(keys)] : [];
}

function conjuncts(condition: Node | undefined): readonly Node[] {
  if (condition === undefined) return [];
  return condition['type'] === 'CONJUNCTION_AND' ? nodesAt(condition, 'children').flatMap(conjuncts) : [condition];
}

/** The dimension's column in `dim.column = <anything without dim>`. */
function equatedColumn(condition: Node, alias: string, columns: readonly string[]): string | undefined {
  if (condition['type'] !== 'COMPARE_EQUAL') return undefined;
  const left = nodeAt(condition, 'left') ?? {};
  const right = nodeAt(condition, 'right') ?? {};
  const leftColumn = columnOf(left, alias, columns);
  const rightColumn = columnOf(right, alias, columns);
  if (leftColumn !== undefined && !mentions(right, alias, columns)) return leftColumn;
  if (rightColumn !== undefined && !mentions(left, alias, columns)) return rightColumn;
  return undefined;
}

function mentions(node: Node, alias: string, columns: readonly string[]): boolean {
  for (const inner of walk(node)) {
    if (inner['class'] === 'SUBQUERY' || columnOf(inner, alias, columns) !== undefined) return true;
  }
  return false;
}

/** A reference `alias.column`, or `column` alone, which DuckDB has bound to the only table that has it. */
function columnOf(node: Node, alias: string, columns: readonly string[]): string | undefined {
  if (node['class'] !== 'COLUMN_REF') return undefined;
  const parts = textsAt(node, 'column_names');
  const [first = '', second] = parts.slice(parts[0]?.toLowerCase() === 'silver' && parts.length > 2 ? 1 : 0);
  if (second === undefined) return spelled(first, columns);
  return first.toLowerCase() === alias.toLowerCase() ? spelled(second, columns) : undefined;
}

function spelled(name: string, columns: readonly string[]): string | undefined {
  return columns.find((column) => column.toLowerCase() === name.toLowerCase());
}
