import { type Node, nodeAt, nodesAt, textAt, textsAt, walk } from '../tree.ts';
import { ctesOf, placeOf } from './nodes.ts';
import {
  type Names,
  type Occurrence,
  occurrencesIn,
  outputName,
  placeOfColumn,
  queryOf,
  type TableName,
  tableNameOf,
  withCtes,
} from './scope.ts';

/** A column of a table, by which its rows are kept apart. */
export type KeyColumn = { readonly table: TableName; readonly column: string };

/** Conditions that all have to hold. */
export function conjuncts(condition: Node | undefined): readonly Node[] {
  if (condition === undefined) return [];
  return condition['type'] === 'CONJUNCTION_AND' ? nodesAt(condition, 'children').flatMap(conjuncts) : [condition];
}

/**
 * Columns of tables that a query joins with each other or groups by: each list has those that are made equal, of a table
 * one.
 */
export function keyCandidates(select: Node, names: Names): readonly (readonly KeyColumn[])[] {
  const classes: Map<string, KeyColumn>[] = [];
  const add = (columns: readonly (KeyColumn | undefined)[]): void => {
    const known = columns.flatMap((one) => (one === undefined ? [] : [[JSON.stringify(one), one] as const]));
    if (known.length < columns.length || known.length === 0) return;
    const touched = classes.filter((one) => known.some(([key]) => one.has(key)));
    const joined = new Map([...touched.flatMap((one) => [...one]), ...known]);
    for (const one of touched) classes.splice(classes.indexOf(one), 1);
    classes.push(joined);
  };
  for (const [query, seen] of queriesIn(select, names)) {
    const scope = occurrencesIn(nodeAt(query, 'from_table'), seen);
    const base = (node: Node | undefined): KeyColumn | undefined => baseOf(node, scope, seen);
    for (const [left, right] of equalitiesIn(query, seen)) add([base(left), baseIn(right, scope, seen)]);
    for (const join of walk(query['from_table'], isFrom)) {
      const sides = [occurrencesIn(nodeAt(join, 'left'), seen), occurrencesIn(nodeAt(join, 'right'), seen)];
      for (const name of textsAt(join, 'using_columns')) add(sides.map((side) => baseOf(columnOf(name), side, seen)));
    }
    for (const key of groupedBy(query)) add([base(key)]);
  }
  return classes.flatMap((one) => onePerTable([...one.values()]));
}

const columnOf = (name: string): Node => ({ class: 'COLUMN_REF', type: 'COLUMN_REF', column_names: [name] });

function isFrom(node: Node): boolean {
  return node['type'] === 'JOIN';
}

/** A table that has several columns in the list is kept apart by none of the others. */
function onePerTable(columns: readonly KeyColumn[]): readonly (readonly KeyColumn[])[] {
  const tables = new Map(columns.map((one) => [JSON.stringify(one.table), one]));
  return [[...tables.values()]];
}

/** All SELECTs of a query with the names that each sees. */
function* queriesIn(query: Node, names: Names): Generator<readonly [Node, Names]> {
  const seen = withCtes(names, query);
  if (query['type'] === 'SELECT_NODE') yield [query, seen];
  const inner = new Set(ctesOf(query).map(([, one]) => one));
  for (const one of inner) yield* queriesIn(one, seen);
  for (const node of walk(query, (one) => one === query || !isQuery(one))) {
    if (node !== query && isQuery(node) && !inner.has(node)) yield* queriesIn(node, seen);
  }
}

function isQuery({ type }: Node): boolean {
  return type === 'SELECT_NODE' || type === 'SET_OPERATION_NODE';
}

/** What has to be equal for a row to count, and what is looked for among the rows of a subquery, with that subquery. */
export function equalitiesIn(query: Node, names: Names): readonly (readonly [Node, Side])[] {
  const joins = [...walk(query['from_table'], isFrom)].filter(isFrom);
  const all = [nodeAt(query, 'where_clause'), ...joins.map((join) => nodeAt(join, 'condition'))].flatMap(conjuncts);
  return all.flatMap((one): readonly (readonly [Node, Side])[] => {
    const [left, right] = [nodeAt(one, 'left'), nodeAt(one, 'right')];
    if (one['type'] === 'COMPARE_EQUAL' && left && right) return [[left, { node: right }]];
    const among = amongOf(one);
    return among === undefined ? [] : [[among.child, { query: among.query, names }]];
  });
}

export type Side = { readonly node: Node } | { readonly query: Node; readonly names: Names };

/** `child IN (query)`. */
export function amongOf(node: Node): { readonly child: Node; readonly query: Node } | undefined {
  const isAny = node['class'] === 'SUBQUERY' && node['subquery_type'] === 'ANY';
  if (!isAny || node['comparison_type'] !== 'COMPARE_EQUAL') return undefined;
  const [child, query] = [nodeAt(node, 'child'), nodeAt(nodeAt(node, 'subquery') ?? {}, 'node')];
  return child && query && { child, query };
}

function baseIn(side: Side, scope: readonly Occurrence[], names: Names): KeyColumn | undefined {
  if ('node' in side) return baseOf(side.node, scope, names);
  const [item, ...more] = nodesAt(side.query, 'select_list');
  if (more.length > 0) return undefined;
  const seen = withCtes(side.names, side.query);
  return baseOf(item, occurrencesIn(nodeAt(side.query, 'from_table'), seen), seen);
}

/** The column of a table that an expression is. */
function baseOf(node: Node | undefined, scope: readonly Occurrence[], names: Names): KeyColumn | undefined {
  if (node?.['class'] !== 'COLUMN_REF') return undefined;
  const place = placeOfColumn(scope, textsAt(node, 'column_names'));
  const from = place && scope[place.at]?.node;
  if (place === undefined || from === undefined) return undefined;
  const query = queryOf(from, names);
  if (query === undefined)
    return from['type'] === 'BASE_TABLE' ? { table: tableNameOf(from), column: place.column } : undefined;
  const items = nodesAt(query, 'select_list');
  const star = items.some((one) => one['class'] === 'STAR') ? columnOf(place.column) : undefined;
  const item = items.find((one) => outputName(one).toLowerCase() === place.column) ?? star;
  const seen = withCtes(names, query);
  return baseOf(item, occurrencesIn(nodeAt(query, 'from_table'), seen), seen);
}

/** Expressions that a SELECT groups by, or of which windows have each value for itself, or of whose rows equal ones are one. */
function groupedBy(query: Node): readonly Node[] {
  const items = nodesAt(query, 'select_list');
  const groups = nodesAt(query, 'group_expressions').map((key) => items[(placeOf(key) ?? 0) - 1] ?? key);
  const distinct = nodesAt(query, 'modifiers').some(({ type }) => type === 'DISTINCT_MODIFIER');
  const all = query['aggregate_handling'] === 'FORCE_AGGREGATES' || distinct ? items : [];
  const windows = [...walk([...items, query['qualify'] ?? null])].filter((node) => node['class'] === 'WINDOW');
  const named = groups.map((key) => items.find((item) => isAliasOf(item, key)) ?? key);
  return [...groups, ...named, ...all, ...windows.flatMap((window) => nodesAt(window, 'partitions'))];
}

function isAliasOf(item: Node, key: Node): boolean {
  const [name, ...more] = key['class'] === 'COLUMN_REF' ? textsAt(key, 'column_names') : [];
  return name !== undefined && more.length === 0 && textAt(item, 'alias').toLowerCase() === name.toLowerCase();
}
