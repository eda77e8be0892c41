import type { JsonValue } from '../../core/json-value.ts';
import { type Node, nodeAt, nodesAt, textAt, textsAt, walk } from '../tree.ts';
import { amongOf, conjuncts, type KeyColumn } from './key-columns.ts';
import { callsIn, isGrouped, modifierIn, nameOfCall, placeOf } from './nodes.ts';
import {
  mayBeColumn,
  type Names,
  type Occurrence,
  occurrencesIn,
  outputName,
  placeOfColumn,
  queryOf,
  tableNameOf,
  withCtes,
} from './scope.ts';

/**
 * What is known of a relation where tables are kept apart by a key: `same`, it has the same rows in every bucket; `apart`, it has
 * each row in one of them, the one that the value of any of these columns says; `stops`: neither.
 */
export type Apart =
  | { readonly kind: 'same' }
  | { readonly kind: 'apart'; readonly keys: ReadonlySet<string> }
  | { readonly kind: 'stops'; readonly stops: string };

const SAME: Apart = { kind: 'same' };
const stop = (stops: string): Apart => ({ kind: 'stops', stops });

/** What of tables is kept apart. */
type Keeping = { readonly columns: ReadonlyMap<string, string>; readonly aggregates: ReadonlySet<string> };

/** Whether a query may be computed bucket by bucket, where tables are kept apart by these columns. */
export function isKeptApart(
  query: Node,
  names: Names,
  keys: readonly KeyColumn[],
  aggregates: ReadonlySet<string>,
): Apart {
  const columns = new Map(keys.map(({ table, column }) => [JSON.stringify(table), column]));
  return ofQuery(query, names, { columns, aggregates });
}

/** `keys` are names of its columns. */
function ofQuery(query: Node, outer: Names, keeping: Keeping): Apart {
  const names = withCtes(outer, query);
  if (query['type'] !== 'SELECT_NODE') return reaches(query, names, keeping) ? stop('a set operation') : SAME;
  const scope = occurrencesIn(nodeAt(query, 'from_table'), names);
  const conditions = conjuncts(nodeAt(query, 'where_clause'));
  const from = ofFrom(nodeAt(query, 'from_table'), { scope, names, keeping, conditions }, 0);
  if (from.kind === 'stops') return from;
  const inside = subqueryStop(query, from, { scope, names, keeping, conditions });
  if (inside !== undefined) return stop(inside);
  if (from.kind === 'same') return SAME;
  const isKey = (node: Node): boolean =>
    node['class'] === 'COLUMN_REF' && isAmong(from, scope, textsAt(node, 'column_names'));
  const stops = rowsStop(query, scope, isKey, keeping.aggregates);
  return stops === undefined ? { kind: 'apart', keys: outputKeys(query, scope, from, isKey) } : stop(stops);
}

type From = {
  readonly scope: readonly Occurrence[];
  readonly names: Names;
  readonly keeping: Keeping;
  readonly conditions: readonly Node[];
};

const placed = (at: number, column: string): string => `${at}.${column}`;

function isAmong(
  { keys }: { readonly keys: ReadonlySet<string> },
  scope: readonly Occurrence[],
  names: readonly string[],
): boolean {
  const place = placeOfColumn(scope, names);
  // A name that both sides of a join share is one column.
  return place === undefined
    ? names.length === 1 && keys.has((names[0] ?? '').toLowerCase())
    : keys.has(placed(place.at, place.column));
}

/** `keys` are places in the scope; of a column that a join shares, its name. */
function ofFrom(node: Node | undefined, from: From, at: number): Apart {
  if (node === undefined || node['type'] === 'EMPTY') return SAME;
  if (node['type'] === 'JOIN') return ofJoin(node, from, at);
  const query = queryOf(node, from.names);
  if (nodeAt(node, 'sample') !== undefined && reaches(node, from.names, from.keeping)) return stop('TABLESAMPLE');
  if (query !== undefined) {
    const inner = ofQuery(query, from.names, from.keeping);
    if (inner.kind !== 'apart') return inner;
    return { kind: 'apart', keys: new Set([...inner.keys].map((column) => placed(at, column))) };
  }
  const column =
    node['type'] === 'BASE_TABLE' ? from.keeping.columns.get(JSON.stringify(tableNameOf(node))) : undefined;
  if (column !== undefined) return { kind: 'apart', keys: new Set([placed(at, column)]) };
  return reaches(node, from.names, from.keeping) ? stop('a table that is kept apart within a PIVOT or VALUES') : SAME;
}

/** With the same rows on its other side, a side that is kept apart gives each of its rows, or those that match. */
const APART_LEFT: ReadonlySet<string> = new Set(['INNER', 'LEFT', 'SEMI', 'ANTI']);
const APART_RIGHT: ReadonlySet<string> = new Set(['INNER', 'RIGHT']);

function ofJoin(join: Node, from: From, at: number): Apart {
  const left = nodeAt(join, 'left');
  const before = occurrencesIn(left, from.names).length;
  const sides = [ofFrom(left, from, at), ofFrom(nodeAt(join, 'right'), from, at + before)] as const;
  const [one, other] = sides;
  const stopped = sides.find(({ kind }) => kind === 'stops');
  if (stopped !== undefined) return stopped;
  const [kind, ref] = [textAt(join, 'join_type'), textAt(join, 'ref_type')];
  if (one.kind === 'same' && other.kind === 'same') return SAME;
  if (!['REGULAR', 'CROSS', 'NATURAL'].includes(ref)) return stop(`a ${ref} JOIN`);
  if (one.kind === 'apart' && other.kind === 'same') return APART_LEFT.has(kind) ? one : stop(`a ${kind} JOIN`);
  if (one.kind === 'same' && other.kind === 'apart') return APART_RIGHT.has(kind) ? other : stop(`a ${kind} JOIN`);
  if (one.kind !== 'apart' || other.kind !== 'apart') return stop('a JOIN');
  const shared = textsAt(join, 'using_columns').filter((name) => isShared(name.toLowerCase(), one, other));
  const also = kind === 'INNER' ? from.conditions : [];
  const conditions = [...conjuncts(nodeAt(join, 'condition')), ...also];
  const equal = conditions.some((condition) => equates(condition, one, other, from.scope));
  if (shared.length === 0 && !equal)
    return stop('a JOIN of two large tables on no column by which both are kept apart');
  return { kind: 'apart', keys: joinedKeys(kind, one.keys, other.keys, shared) };
}

type Keys = { readonly keys: ReadonlySet<string> };

function isShared(name: string, one: Keys, other: Keys): boolean {
  const has = ({ keys }: Keys): boolean => [...keys].some((key) => key === name || key.endsWith(`.${name}`));
  return has(one) && has(other);
}

function equates(condition: Node, one: Keys, other: Keys, scope: readonly Occurrence[]): boolean {
  const [left, right] = [nodeAt(condition, 'left'), nodeAt(condition, 'right')];
  if (condition['type'] !== 'COMPARE_EQUAL' || left === undefined || right === undefined) return false;
  const is = (keys: Keys, node: Node): boolean =>
    node['class'] === 'COLUMN_REF' && isAmong(keys, scope, textsAt(node, 'column_names'));
  return (is(one, left) && is(other, right)) || (is(one, right) && is(other, left));
}

/** Of a side without a row for another's, the key is NULL there. */
function joinedKeys(
  kind: string,
  left: ReadonlySet<string>,
  right: ReadonlySet<string>,
  shared: readonly string[],
): ReadonlySet<string> {
  const names = shared.map((name) => name.toLowerCase());
  switch (kind) {
    case 'INNER':
      return new Set([...left, ...right, ...names]);
    case 'RIGHT':
      return new Set([...right, ...names]);
    case 'LEFT':
    case 'SEMI':
    case 'ANTI':
      return new Set([...left, ...names]);
    default:
      return new Set(names);
  }
}

/** What of the expressions of a query looks into tables that are kept apart otherwise than for the key of its own row. */
function subqueryStop(query: Node, from: Apart, { scope, names, keeping, conditions }: From): string | undefined {
  const allowed = new Set<Node>();
  for (const condition of conditions) {
    const among = amongOf(condition);
    if (among === undefined || from.kind !== 'apart' || among.child['class'] !== 'COLUMN_REF') continue;
    const inner = ofQuery(among.query, names, keeping);
    const [item] = nodesAt(among.query, 'select_list');
    const given = inner.kind === 'apart' && item !== undefined && inner.keys.has(outputName(item).toLowerCase());
    if (given && isAmong(from, scope, textsAt(among.child, 'column_names'))) allowed.add(condition);
  }
  const { from_table: _from, cte_map: _ctes, ...expressions } = query;
  const parts: JsonValue = { ...expressions };
  for (const node of walk(parts, (one) => one['class'] !== 'SUBQUERY')) {
    if (node['class'] !== 'SUBQUERY' || allowed.has(node)) continue;
    if (reaches(node, names, keeping)) return 'a subquery over a table that is kept apart';
  }
  const joins = [...walk(query['from_table'], (one) => one['type'] === 'JOIN')];
  const within = joins.some((join) => [...walk(join['condition'])].some((one) => one['class'] === 'SUBQUERY'));
  return within ? 'a subquery in the condition of a JOIN' : undefined;
}

/** Whether a table that is kept apart stands anywhere in it. */
function reaches(node: Node, names: Names, keeping: Keeping, seen: ReadonlySet<string> = new Set()): boolean {
  for (const inner of walk(node)) {
    if (inner['type'] !== 'BASE_TABLE') continue;
    const table = tableNameOf(inner);
    if (keeping.columns.has(JSON.stringify(table))) return true;
    const query = table.schema === '' && !seen.has(table.table) ? names.ctes.get(table.table) : undefined;
    if (query !== undefined && reaches(query, names, keeping, new Set([...seen, table.table]))) return true;
  }
  return false;
}

/** What of a query over rows that are kept apart needs rows of several buckets at once. */
function rowsStop(
  query: Node,
  scope: readonly Occurrence[],
  isKey: (node: Node) => boolean,
  aggregates: ReadonlySet<string>,
): string | undefined {
  const list = query['select_list'];
  const modifiers = nodesAt(query, 'modifiers');
  const aggregated = [list, query['having']]
    .flatMap((part) => callsIn(part))
    .some((c) => aggregates.has(nameOfCall(c)));
  const sets = Array.isArray(query['group_sets']) ? query['group_sets'].length : 0;
  if (sets > 1) return 'several grouping sets';
  if ((isGrouped(query) || aggregated) && !groupKeys(query, scope, aggregates).some(isKey))
    return isGrouped(query) ? 'a GROUP BY without the key' : 'an aggregate over all rows';
  for (const node of walk([list ?? null, query['qualify'] ?? null])) {
    if (node['class'] === 'WINDOW' && !nodesAt(node, 'partitions').some(isKey))
      return `the window function ${nameOfCall(node)}, which is not PARTITION BY the key`;
  }
  if (modifiers.some((one) => textAt(one, 'type').startsWith('LIMIT'))) return 'LIMIT';
  const distinct = modifiers.find((one) => one['type'] === 'DISTINCT_MODIFIER');
  const on = distinct === undefined ? [] : nodesAt(distinct, 'distinct_on_targets');
  const told = on.length > 0 ? on : nodesAt(query, 'select_list');
  if (distinct !== undefined && !told.some(isKey)) return 'DISTINCT without the key';
  return modifierIn({ ...query, modifiers: [], qualify: null });
}

/** What a query groups by. A column of a table hides the name of an item of the select list. */
function groupKeys(query: Node, scope: readonly Occurrence[], aggregates: ReadonlySet<string>): readonly Node[] {
  const items = nodesAt(query, 'select_list');
  if (query['aggregate_handling'] === 'FORCE_AGGREGATES')
    return items.filter((item) => !callsIn(item).some((call) => aggregates.has(nameOfCall(call))));
  return nodesAt(query, 'group_expressions').map((given) => {
    const key = items[(placeOf(given) ?? 0) - 1] ?? given;
    const [name, ...more] = key['class'] === 'COLUMN_REF' ? textsAt(key, 'column_names') : [];
    if (name === undefined || more.length > 0 || mayBeColumn(scope, name)) return key;
    return items.find((item) => textAt(item, 'alias').toLowerCase() === name.toLowerCase()) ?? key;
  });
}

function outputKeys(
  query: Node,
  scope: readonly Occurrence[],
  { keys }: Keys,
  isKey: (node: Node) => boolean,
): ReadonlySet<string> {
  const found = new Set<string>();
  const others = new Set<string>();
  for (const item of nodesAt(query, 'select_list')) {
    if (item['class'] !== 'STAR') (isKey(item) ? found : others).add(outputName(item).toLowerCase());
    if (item['class'] !== 'STAR' || nodesAt(item, 'replace_list').length > 0) continue;
    if (nodesAt(item, 'rename_list').length > 0 || nodeAt(item, 'expr') !== undefined) continue;
    for (const key of keys) {
      const column = key.slice(key.indexOf('.') + 1);
      if (placeOfColumn(scope, [column]) !== undefined || !key.includes('.')) found.add(column);
    }
  }
  // Another column of that name may stand before it, or in its place.
  return new Set([...found].filter((name) => !others.has(name)));
}
