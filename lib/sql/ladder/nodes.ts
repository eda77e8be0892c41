import type { JsonValue } from '../../core/json-value.ts';
import { isNode, type Node, nodeAt, nodesAt, textAt, textsAt, walk } from '../tree.ts';

/** A column of our own making, whose name nothing hides. */
export function columnNode(name: string, alias = ''): Node {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias, query_location: 0, column_names: [name] };
}

/** A table by its bare name. */
export function tableNode(name: string): Node {
  return {
    type: 'BASE_TABLE',
    alias: '',
    sample: null,
    query_location: 0,
    schema_name: '',
    table_name: name,
    column_name_alias: [],
    catalog_name: '',
    at_clause: null,
  };
}

/** A number that stands for a place in the select list. */
export function placeNode(place: number): Node {
  const value = { type: { id: 'INTEGER', type_info: null }, is_null: false, value: place };
  return { class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', query_location: 0, value };
}

/** The place in the select list that a constant stands for where it is the whole of an expression. */
export function placeOf(node: Node): number | undefined {
  if (node['class'] !== 'CONSTANT') return undefined;
  const value = nodeAt(node, 'value');
  const type = textAt(nodeAt(value ?? {}, 'type') ?? {}, 'id');
  return type === 'INTEGER' ? Number(value?.['value']) : undefined;
}

/** A tree in which some nodes are others, which are not looked into. */
export function replaceNodes(value: JsonValue, by: (node: Node) => Node | undefined): JsonValue {
  if (Array.isArray(value)) return value.map((entry: JsonValue) => replaceNodes(entry, by));
  return isNode(value) ? replaceIn(value, by) : value;
}

/** The same of one node, which keeps its alias. */
export function replaceIn(node: Node, by: (node: Node) => Node | undefined): Node {
  const other = by(node);
  if (other !== undefined) return { ...other, alias: textAt(node, 'alias') };
  return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, replaceNodes(inner, by)]));
}

/**
 * Two expressions with the same text say the same, wherever they stand; `resolve` gives columns their one name. Names within
 * are those of fields, such as of a struct.
 */
export function sameText(node: Node, resolve: (names: readonly string[]) => readonly string[]): string {
  return JSON.stringify({ ...node, alias: '' }, (key, value: unknown) => {
    if (key === 'query_location') return undefined;
    if (!isColumn(value)) return value;
    return { column: resolve(textsAt(value, 'column_names')), alias: textAt(value, 'alias') };
  });
}

function isColumn(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'class' in value && value.class === 'COLUMN_REF';
}

/** The calls of functions in an expression, as far as they are not within subqueries. */
export function callsIn(expression: JsonValue | undefined): readonly Node[] {
  return [...walk(expression, (node) => node['class'] !== 'SUBQUERY')].filter((node) => node['class'] === 'FUNCTION');
}

/** Macros of DuckDB that are made of aggregates, which are listed as macros. */
export const AGGREGATING_MACROS: readonly string[] = [
  'geomean',
  'json_group_array',
  'json_group_object',
  'weighted_avg',
];

/** Where a FROM, or a WITH, gives columns other names, or one name of WITH means several queries: who means what is left open. */
export function renamedIn(tree: JsonValue): string | undefined {
  const ctes = new Set<string>();
  for (const node of walk(tree)) {
    const isRead = node['type'] === 'BASE_TABLE' || node['type'] === 'SUBQUERY';
    if (isRead && textsAt(node, 'column_name_alias').length > 0 && !isValues(node))
      return 'names of columns in the FROM';
    for (const entry of nodesAt(nodeAt(node, 'cte_map') ?? {}, 'map')) {
      const name = textAt(entry, 'key').toLowerCase();
      const query = nodeAt(entry, 'value') ?? {};
      if (textsAt(query, 'aliases').length > 0 && !isValues(query)) return 'names of columns in WITH';
      if (ctes.has(name)) return `${name}, which several WITH give`;
      ctes.add(name);
    }
  }
  return undefined;
}

/** Rows that are written in the SQL have no other names. */
function isValues(node: Node): boolean {
  const nodes = [...walk(node)];
  return nodes.some(({ type }) => type === 'EXPRESSION_LIST') && !nodes.some(({ type }) => type === 'BASE_TABLE');
}

export function nameOfCall(node: Node): string {
  return textAt(node, 'function_name').toLowerCase();
}

/** What of an expression is neither row nor group: a window, a subquery. */
export function oddIn(expression: JsonValue | undefined): string | undefined {
  for (const node of walk(expression)) {
    if (node['class'] === 'WINDOW') return `the window function ${nameOfCall(node)}`;
    if (node['class'] === 'SUBQUERY') return 'a subquery in the select list or HAVING';
    if (node['class'] === 'STAR') return 'a star in the select list';
    if (node['class'] === 'LAMBDA') return 'a lambda in the select list';
  }
  return undefined;
}

/** The query of each common table expression of a query node, by name. */
export function ctesOf(select: Node): readonly (readonly [string, Node])[] {
  return nodesAt(nodeAt(select, 'cte_map') ?? {}, 'map').flatMap((entry) => {
    const query = nodeAt(nodeAt(nodeAt(entry, 'value') ?? {}, 'query') ?? {}, 'node');
    return query === undefined ? [] : [[textAt(entry, 'key').toLowerCase(), query] as const];
  });
}

/** What keeps a SELECT from being one pass over rows that stay: DISTINCT, LIMIT, samples. */
export function modifierIn(select: Node): string | undefined {
  const found = nodesAt(select, 'modifiers').map((one) => textAt(one, 'type'));
  if (found.includes('DISTINCT_MODIFIER')) return 'DISTINCT';
  if (found.some((type) => type.startsWith('LIMIT'))) return 'LIMIT';
  if (nodeAt(select, 'qualify') !== undefined) return 'QUALIFY';
  return nodeAt(select, 'sample') === undefined ? undefined : 'a sample';
}

export function isGrouped(select: Node): boolean {
  return nodesAt(select, 'group_expressions').length > 0 || select['aggregate_handling'] === 'FORCE_AGGREGATES';
}
