import type { JsonValue } from '../../core/json-value.ts';
import type { Stop } from '../../core/ladder.ts';
import {
  bareSelect,
  isNode,
  type Node,
  nodeAt,
  nodesAt,
  statementsOf,
  textAt,
  textsAt,
  walk,
  withSelect,
} from '../tree.ts';
import { cuttableTables } from './cuts.ts';
import {
  callsIn,
  columnNode,
  isGrouped,
  modifierIn,
  nameOfCall,
  oddIn,
  placeNode,
  placeOf,
  renamedIn,
  replaceIn,
  sameText,
  tableNode,
} from './nodes.ts';
import {
  mayBeColumn,
  type Names,
  type Occurrence,
  occurrencesIn,
  placeOfColumn,
  type TableName,
  withCtes,
} from './scope.ts';

/** The relation of groups that `reduce` reads. */
export const GROUPS = '__groups';

/** An aggregate that is made of parts: those are columns of what a unit writes. */
export type SplitAggregate = {
  readonly kind: 'sum' | 'count' | 'min' | 'max' | 'avg';
  readonly name: string;
  /** Of an average: the column that counts. */
  readonly count?: string;
};

export type SplitQuery = {
  /** Of which each unit may read some files. */
  readonly cuts: readonly TableName[];
  /** Names of the columns of `map` by which it groups. */
  readonly keys: readonly string[];
  readonly aggregates: readonly SplitAggregate[];
  /** Trees of the SELECT of a unit; of one over the groups; and of one that gives what is averaged, to tell its types. */
  readonly map: JsonValue;
  readonly reduce: JsonValue;
  readonly averaged?: JsonValue;
};

const KINDS: Readonly<Record<string, SplitAggregate['kind']>> = {
  sum: 'sum',
  count: 'count',
  count_star: 'count',
  min: 'min',
  max: 'max',
  avg: 'avg',
  mean: 'avg',
};

/** What is known of a SELECT while it is taken apart. */
type Query = {
  readonly select: Node;
  readonly items: readonly Node[];
  readonly scope: readonly Occurrence[];
  readonly aggregates: ReadonlySet<string>;
};

/**
 * Takes a grouping query apart: a SELECT that units run over some rows of a table each, whose rows are grouped again by the
 * same keys, and one over those groups. `names`: of the columns of the result. Says what of the query stops that.
 */
export function splitAggregation(
  tree: JsonValue,
  results: readonly string[],
  names: Names,
  aggregates: ReadonlySet<string>,
): SplitQuery | Stop {
  const [select] = statementsOf(tree);
  const stops = select === undefined ? 'no SELECT' : stopIn(select, aggregates);
  if (select === undefined || stops !== undefined || !isNode(tree)) return { stops: stops ?? 'no SELECT' };
  const cuts = cuttableTables(select, names, aggregates);
  if (cuts.length === 0) return { stops: 'no table that is read once and may be read in parts' };
  const scope = occurrencesIn(nodeAt(select, 'from_table'), withCtes(names, select));
  const query = { select, items: nodesAt(select, 'select_list'), scope, aggregates };
  const keys = keysOf(query);
  const having = nodeAt(select, 'having');
  const wanted = [...query.items, ...(having === undefined ? [] : [having])].map((item) => expand(item, query));
  const found = distinctCalls(wanted, query);
  if ('stops' in found) return found;
  const made = groupsOf(keys, found, query);
  const [items, filter] = [wanted.slice(0, query.items.length), wanted[query.items.length]].map((part) => part);
  const list = (items as readonly Node[]).map((item, at) => ({ ...made.rewrite(item), alias: results[at] ?? '' }));
  const where = filter === undefined ? null : made.rewrite(filter as Node);
  const left = leftoverIn([...list, where], made.names);
  if (left !== undefined) return { stops: `${left}, which is neither grouped by nor aggregated` };
  const reduce = { ...bareSelect(select), select_list: list, from_table: tableNode(GROUPS), where_clause: where };
  const averages = found.filter((call) => KINDS[nameOfCall(call)] === 'avg');
  return {
    cuts,
    keys: keys.map((_, at) => keyName(at)),
    aggregates: made.aggregates,
    map: withSelect(tree, mapOf(select, keys, made.columns)),
    reduce: withSelect(tree, reduce),
    ...(averages.length === 0 ? {} : { averaged: withSelect(tree, argumentsOf(select, averages)) }),
  };
}

const keyName = (at: number): string => `__k${at}`;

function stopIn(select: Node, aggregates: ReadonlySet<string>): string | undefined {
  if (select['type'] !== 'SELECT_NODE') return 'a set operation at the top level';
  const list = [select['select_list'], select['having'], select['group_expressions']];
  const sets = Array.isArray(select['group_sets']) ? select['group_sets'].length : 0;
  const grouped = isGrouped(select) || callsIn(select['select_list']).some((c) => aggregates.has(nameOfCall(c)));
  return (
    modifierIn(select) ??
    renamedIn(select) ??
    collatedIn(select) ??
    list.map((one) => oddIn(one)).find((odd) => odd !== undefined) ??
    (sets > 1 ? 'several grouping sets' : undefined) ??
    (grouped ? undefined : 'no GROUP BY')
  );
}

/** Of what is equal by a collation one value stands for all, which is any of them. */
function collatedIn(select: Node): string | undefined {
  return [...walk(select)].some((node) => node['class'] === 'COLLATE') ? 'a collation' : undefined;
}

/** The expressions that are grouped by: those of GROUP BY, or with ALL the items that aggregate nothing. */
function keysOf(query: Query): readonly Node[] {
  const given = nodesAt(query.select, 'group_expressions');
  if (given.length > 0) return given.map((key) => expand(query.items[(placeOf(key) ?? 0) - 1] ?? key, query));
  if (query.select['aggregate_handling'] !== 'FORCE_AGGREGATES') return [];
  // By what is the same in all rows nothing is grouped: without rows there is a group of none.
  const plain = query.items.filter((item) => !callsIn(item).some((call) => query.aggregates.has(nameOfCall(call))));
  return plain.filter((item) => [...walk(item)].some((node) => node['class'] === 'COLUMN_REF'));
}

/** An expression in which what stands for an item of the select list is that item. A column of a table hides such a name. */
function expand(node: Node, query: Query, seen: ReadonlySet<string> = new Set()): Node {
  return replaceIn(node, (inner) => {
    const [name, ...more] = inner['class'] === 'COLUMN_REF' ? textsAt(inner, 'column_names') : [];
    if (name === undefined || more.length > 0 || seen.has(name) || mayBeColumn(query.scope, name)) return undefined;
    const item = query.items.find((one) => textAt(one, 'alias').toLowerCase() === name.toLowerCase());
    return item && expand(item, query, new Set([...seen, name]));
  });
}

function resolver({ scope }: Query): (names: readonly string[]) => readonly string[] {
  return (names) => {
    const place = placeOfColumn(scope, names);
    return place === undefined ? names.map((name) => name.toLowerCase()) : [String(place.at), place.column];
  };
}

function distinctCalls(wanted: readonly Node[], query: Query): readonly Node[] | Stop {
  const found = new Map<string, Node>();
  for (const call of wanted.flatMap((item) => callsIn(item))) {
    const name = nameOfCall(call);
    if (name === 'grouping' || name === 'unnest') return { stops: name };
    if (!query.aggregates.has(name)) continue;
    const stops = callFault(call, query);
    if (stops !== undefined) return { stops };
    found.set(sameText(call, resolver(query)), call);
  }
  return [...found.values()];
}

function callFault(call: Node, { aggregates }: Query): string | undefined {
  const name = nameOfCall(call);
  if (call['distinct'] === true) return `${name}(DISTINCT ...)`;
  if (KINDS[name] === undefined) return `the aggregate ${name}`;
  if (nodesAt(nodeAt(call, 'order_bys') ?? {}, 'orders').length > 0) return `${name}(... ORDER BY)`;
  const within = callsIn(call['children']).find((inner) => aggregates.has(nameOfCall(inner)));
  return within && `${name} of the aggregate ${nameOfCall(within)}`;
}

type Groups = {
  readonly aggregates: readonly SplitAggregate[];
  /** What the SELECT of a unit gives beside the keys. */
  readonly columns: readonly Node[];
  readonly names: ReadonlySet<string>;
  readonly rewrite: (node: Node) => Node;
};

function groupsOf(keys: readonly Node[], calls: readonly Node[], query: Query): Groups {
  const text = (node: Node): string => sameText(node, resolver(query));
  const named = new Map(keys.map((key, at) => [text(key), keyName(at)]));
  const aggregates: SplitAggregate[] = [];
  const columns: Node[] = [];
  for (const [at, call] of calls.entries()) {
    const kind = KINDS[nameOfCall(call)] ?? 'sum';
    const [name, count] = [`__p${at}`, `__n${at}`];
    named.set(text(call), name);
    aggregates.push(kind === 'avg' ? { kind, name, count } : { kind, name });
    columns.push({ ...call, ...(kind === 'avg' ? { function_name: 'sum' } : {}), alias: name });
    if (kind === 'avg') columns.push({ ...call, function_name: 'count', alias: count });
  }
  const rewrite = (node: Node): Node =>
    replaceIn(node, (inner) => {
      const name = typeof inner['class'] === 'string' ? named.get(text(inner)) : undefined;
      return name === undefined ? undefined : columnNode(name);
    });
  return { aggregates, columns, names: new Set(named.values()), rewrite };
}

function leftoverIn(parts: readonly (Node | null)[], known: ReadonlySet<string>): string | undefined {
  for (const node of walk([...parts])) {
    const names = node['class'] === 'COLUMN_REF' ? textsAt(node, 'column_names') : [];
    if (names.length > 0 && !known.has(names.join('.'))) return `the column ${names.join('.')}`;
  }
  return undefined;
}

/** Keys stand first, and are grouped by their places: an expression there could be one of those that mean another. */
function mapOf(select: Node, keys: readonly Node[], columns: readonly Node[]): Node {
  const { cte_map = null, where_clause = null } = select;
  return {
    ...bareSelect(select),
    cte_map,
    where_clause,
    select_list: [...keys.map((key, at) => ({ ...key, alias: keyName(at) })), ...columns],
    group_expressions: keys.map((_, at) => placeNode(at + 1)),
    group_sets: keys.length === 0 ? [] : [keys.map((_, at) => at)],
  };
}

function argumentsOf(select: Node, averages: readonly Node[]): Node {
  const { cte_map = null, where_clause = null } = select;
  const list = averages.map((call, at) => ({ ...nodesAt(call, 'children')[0], alias: `__v${at}` }));
  return { ...bareSelect(select), cte_map, where_clause, select_list: list };
}
