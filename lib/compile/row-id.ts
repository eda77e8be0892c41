import { isLosslessNumber, parse, stringify } from 'lossless-json';
import type { JsonValue, Session } from '../ports.ts';
import { RID } from '../sql/batch-tables.ts';
import { quoteName } from '../sql/quote.ts';
import { deserializeSql, serializeSql } from '../sql/syntax.ts';
import { leftmostTable } from './rowwise.ts';
import { cellText } from './statements.ts';
import { isNode, type Node, nodeAt, nodesAt, statementsOf, textAt, textsAt } from './syntax.ts';

/**
 * Rewrites row-wise SQL so that its last column is the batch's hidden `__rid`, once, whatever stars it has.
 * The SQL must have passed checkRowwise. Throws EngineError when DuckDB cannot print the tree.
 */
export async function addRowId(session: Session, sql: string): Promise<string> {
  // Session.parse may round numbers beyond 2^53 in the tree; the SQL that comes out of it again must not.
  const tree = printable(parse(cellText(await session.rows(serializeSql(sql)))) as JsonValue);
  const [select] = statementsOf(tree);
  if (select === undefined || !isNode(tree)) return sql;
  const alias = batchAlias(tree);
  const list = [...nodesAt(select, 'select_list').map((item) => withoutRowId(item, alias)), rowIdOf(alias)];
  const statement = { ...nodesAt(tree, 'statements')[0], node: { ...select, select_list: list } };
  return cellText(await session.rows(deserializeSql(stringify({ ...tree, statements: [statement] }) ?? '')));
}

function rowIdOf(alias: string): Node {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', query_location: 0, column_names: [alias, RID] };
}

/**
 * The tree with what DuckDB 1.5 prints differently from what it read: a DOUBLE literal (1e3 comes out as the DECIMAL
 * 1000.0) becomes a cast of its text, and the table of a star, which is printed bare, is quoted.
 */
export function printable(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((entry: JsonValue) => printable(entry));
  if (!isNode(value) || isLosslessNumber(value)) return value;
  const constant = value['class'] === 'CONSTANT' ? nodeAt(value, 'value') : undefined;
  if (constant !== undefined && textAt(nodeAt(constant, 'type') ?? {}, 'id') === 'DOUBLE')
    return castToDouble(value, constant);
  const copy: Node = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, printable(inner)]));
  const relation = textAt(value, 'relation_name');
  return value['class'] === 'STAR' && relation !== '' ? { ...copy, relation_name: quoteName(relation) } : copy;
}

function castToDouble(literal: Node, constant: Node): Node {
  const text = { type: { id: 'VARCHAR', type_info: null }, is_null: false, value: String(constant['value']) };
  return {
    class: 'CAST',
    type: 'OPERATOR_CAST',
    alias: textAt(literal, 'alias'),
    query_location: 0,
    child: { ...literal, alias: '', value: text },
    cast_type: { id: 'DOUBLE', type_info: null },
    try_cast: false,
  };
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
  if (!isNode(value) || isLosslessNumber(value) || value['class'] === 'SUBQUERY') return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutRowId(inner, alias)] as const);
  const copy: Node = Object.fromEntries(entries);
  const bare = nodeAt(value, 'expr') === undefined;
  return isBatchStar(value, alias) && bare ? { ...copy, exclude_list: [...textsAt(value, 'exclude_list'), RID] } : copy;
}
