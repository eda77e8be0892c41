import type { JsonValue, Session } from '../ports.ts';
import { RID } from '../sql/batch-tables.ts';
import { quoteName } from '../sql/quote.ts';
import { serializeSql } from '../sql/syntax.ts';
import {
  isNode,
  type Node,
  nodeAt,
  nodesAt,
  printTree,
  readTree,
  statementsOf,
  textAt,
  textsAt,
  withSelect,
} from '../sql/tree.ts';
import { leftmostTable } from './rowwise.ts';
import { cellText } from './statements.ts';

/**
 * Rewrites row-wise SQL so that its last column is the batch's hidden `__rid`, once, whatever stars it has.
 * The SQL must have passed checkRowwise. Throws EngineError when DuckDB cannot print the tree.
 */
export async function addRowId(session: Session, sql: string): Promise<string> {
  const tree = readTree(cellText(await session.rows(serializeSql(sql))));
  const [select] = statementsOf(tree);
  if (select === undefined || !isNode(tree)) return sql;
  const alias = batchAlias(tree);
  const list = [...nodesAt(select, 'select_list').map((item) => withoutRowId(item, alias)), rowIdOf(alias)];
  return cellText(await session.rows(printTree(withSelect(tree, { ...select, select_list: list }))));
}

function rowIdOf(alias: string): Node {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', query_location: 0, column_names: [alias, RID] };
}

/** True when the select list takes every column of the batch, so that new columns of the source reach the table. */
export function selectsAll(tree: JsonValue): boolean {
  const [select] = statementsOf(tree);
  const alias = batchAlias(tree);
  return nodesAt(select ?? {}, 'select_list').some((item) => isBatchStar(item, alias) && item['columns'] !== true);
}

/** The name by which the top-level SELECT calls its batch table. */
export function batchAlias(tree: JsonValue): string {
  const table = leftmostTable(tree) ?? {};
  return textAt(table, 'alias') || textAt(table, 'table_name');
}

function isBatchStar(node: Node, alias: string): boolean {
  const relation = textAt(node, 'relation_name').toLowerCase();
  return node['class'] === 'STAR' && ['', alias.toLowerCase(), quoteName(alias).toLowerCase()].includes(relation);
}

/** The same expression with EXCLUDE (__rid) on its stars over the batch. Subqueries have tables of their own. */
function withoutRowId<T extends JsonValue>(value: T, alias: string): T;
function withoutRowId(value: JsonValue, alias: string): JsonValue {
  if (Array.isArray(value)) return value.map((entry: JsonValue) => withoutRowId(entry, alias));
  if (!isNode(value) || value['class'] === 'SUBQUERY') return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutRowId(inner, alias)] as const);
  const copy: Node = Object.fromEntries(entries);
  const bare = nodeAt(value, 'expr') === undefined;
  return isBatchStar(value, alias) && bare ? { ...copy, exclude_list: [...textsAt(value, 'exclude_list'), RID] } : copy;
}
