import type { JsonValue } from '../../core/json-value.ts';
import { type Node, nodeAt, textAt, walk } from '../tree.ts';
import { callsIn, isGrouped, modifierIn, nameOfCall } from './nodes.ts';
import { type Names, queryOf, type TableName, tableNameOf, withCtes } from './scope.ts';

/** Joins that give each row of their left side, or of both, to what comes of it whatever the other rows of that side are. */
const LEFT_CUT: ReadonlySet<string> = new Set(['INNER', 'LEFT', 'SEMI', 'ANTI']);
const RIGHT_CUT: ReadonlySet<string> = new Set(['INNER', 'RIGHT']);

/**
 * The tables of which a query may be given the rows in parts, so that its own rows, before it groups them, are those of all
 * parts together: named once, in its FROM or that of a query within which only maps and filters rows, on a side of joins of which rows
 * do not depend on each other.
 */
export function cuttableTables(select: Node, names: Names, aggregates: ReadonlySet<string>): readonly TableName[] {
  const counted = new Map<string, number>();
  for (const node of walk(select)) {
    if (node['type'] !== 'BASE_TABLE') continue;
    const key = JSON.stringify(tableNameOf(node));
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  return inFrom(nodeAt(select, 'from_table'), withCtes(names, select), { aggregates, counted });
}

type Walking = { readonly aggregates: ReadonlySet<string>; readonly counted: ReadonlyMap<string, number> };

function inFrom(from: Node | undefined, names: Names, walking: Walking): readonly TableName[] {
  if (from === undefined) return [];
  if (from['type'] === 'JOIN') return inJoin(from, names, walking);
  if (nodeAt(from, 'sample') !== undefined) return [];
  const query = queryOf(from, names);
  const once = walking.counted.get(JSON.stringify(tableNameOf(from))) === 1;
  if (query !== undefined) {
    const isOnce = from['type'] === 'SUBQUERY' || once;
    return isOnce && mapsRows(query, walking)
      ? inFrom(nodeAt(query, 'from_table'), withCtes(names, query), walking)
      : [];
  }
  const plain = from['type'] === 'BASE_TABLE' && textAt(from, 'schema_name') !== '';
  return plain && once ? [tableNameOf(from)] : [];
}

function inJoin(join: Node, names: Names, walking: Walking): readonly TableName[] {
  if (!['REGULAR', 'CROSS', 'NATURAL'].includes(textAt(join, 'ref_type'))) return [];
  const kind = textAt(join, 'join_type');
  return [
    ...(LEFT_CUT.has(kind) ? inFrom(nodeAt(join, 'left'), names, walking) : []),
    ...(RIGHT_CUT.has(kind) ? inFrom(nodeAt(join, 'right'), names, walking) : []),
  ];
}

/** Whether a query gives for each row of its FROM what comes of this row alone. */
export function mapsRows(select: Node, { aggregates }: Pick<Walking, 'aggregates'>): boolean {
  if (select['type'] !== 'SELECT_NODE' || isGrouped(select) || modifierIn(select) !== undefined) return false;
  const list: JsonValue | undefined = select['select_list'];
  const many = callsIn(list).some((call) => aggregates.has(nameOfCall(call)) || nameOfCall(call) === 'unnest');
  // Behind a star there can be all else.
  const odd = [...walk(list)].some(({ class: kind }) => kind === 'WINDOW' || kind === 'SUBQUERY');
  return !many && !odd;
}
