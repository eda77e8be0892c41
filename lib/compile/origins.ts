import type { JsonValue } from '../ports.ts';
import { isNode, type Node, nodeAt, nodesAt, statementsOf, textAt, textsAt } from '../sql/tree.ts';
import {
  allNames,
  allOutputs,
  byName,
  type Columns,
  fromOf,
  NONE,
  NOTHING,
  named,
  type Origins,
  type Outputs,
  type Place,
  renamed,
  settled,
  settledIfSpread,
  union,
  whole,
  without,
} from './origin-sets.ts';
import type { NamedTable } from './references.ts';
import { mayNumber, spreadsOut, writtenName } from './select-list.ts';

export type { Origins } from './origin-sets.ts';

/** The columns of a table that SQL names, in lower case, as far as they are followed. */
export type OriginsOf = (table: NamedTable) => ReadonlyMap<string, Origins>;

export type QueryOrigins = {
  /** Of each column of the query, in their order. */
  readonly columns: readonly Origins[];
  /** What decides which rows there are: conditions, keys of joins and of groups, limits. */
  readonly rows: Origins;
};

type Relation = Columns & { readonly alias: string };

/** What names can mean at a place: common table expressions, and the relations of this query and of those around it. */
type Scope = {
  readonly tables: OriginsOf;
  /** Whether what is counted, and what decides about rows, is followed into values. */
  readonly counts: boolean;
  /** Whether an item of a select list is no key of GROUP BY ALL. */
  readonly aggregates: (item: Node) => boolean;
  readonly ctes: ReadonlyMap<string, Columns>;
  readonly relations: readonly Relation[];
};

/** Functions that say of rows only how many there are. */
const COUNTS: ReadonlySet<string> = new Set(['count', 'count_star', 'count_if', 'countif', 'approx_count_distinct']);

/**
 * What each column of a query comes from: copies, and whatever an expression makes of them; with `counts`, numbers of rows
 * as well. Where names leave it open, a column is said to come from all that it may come from.
 */
export function originsOf(
  tree: JsonValue,
  columns: readonly string[],
  tables: OriginsOf,
  { counts, aggregates }: Pick<Scope, 'counts' | 'aggregates'>,
): QueryOrigins {
  const [query] = statementsOf(tree);
  if (query === undefined) return { columns: columns.map(() => NONE), rows: NONE };
  const given = outputsOf(query, { tables, counts, aggregates, ctes: new Map(), relations: [] });
  // What is written as one column may have become several: then nobody knows which they are.
  const found = given.places?.length === columns.length ? given : settled(given);
  const of = (name: string, at: number): Origins =>
    union(
      found.any,
      found.places?.[at]?.from ?? NONE,
      found.places === undefined ? named(found, name.toLowerCase()) : NONE,
    );
  return { columns: columns.map(of), rows: found.rows };
}

function outputsOf(query: Node, around: Scope): Outputs {
  const scope = withCtes(query, around);
  const kind = textAt(query, 'type');
  if (kind === 'SELECT_NODE') return outputsOfSelect(query, scope);
  if (kind === 'SET_OPERATION_NODE' || kind === 'RECURSIVE_CTE_NODE') return outputsOfBoth(query, scope);
  return { ...NOTHING, any: originsIn(query, scope), places: undefined, spreads: false };
}

function withCtes(query: Node, around: Scope): Scope {
  const ctes = new Map(around.ctes);
  for (const entry of nodesAt(nodeAt(query, 'cte_map') ?? {}, 'map')) {
    const value = nodeAt(entry, 'value') ?? {};
    const inner = nodeAt(nodeAt(value, 'query') ?? {}, 'node') ?? {};
    ctes.set(
      textAt(entry, 'key').toLowerCase(),
      renamed(outputsOf(inner, { ...around, ctes }), textsAt(value, 'aliases')),
    );
  }
  return { ...around, ctes };
}

/** The columns of both sides meet by their places, or by their names where a star hides the places. */
function outputsOfBoth(query: Node, scope: Scope): Outputs {
  const left = settledIfSpread(outputsOf(nodeAt(query, 'left') ?? {}, scope));
  const name = textAt(query, 'cte_name').toLowerCase();
  const recursive = renamed(left, textsAt(query, 'aliases'));
  const ctes = name === '' ? scope.ctes : new Map([...scope.ctes, [name, recursive]]);
  const right = settledIfSpread(outputsOf(nodeAt(query, 'right') ?? {}, { ...scope, ctes }));
  const kind = textAt(query, 'setop_type');
  const compares = kind.startsWith('EXCEPT') || kind.startsWith('INTERSECT');
  const whole = compares ? union(allOutputs(left), allOutputs(right)) : NONE;
  const both = {
    names: byName([...left.names, ...right.names]),
    any: union(left.any, right.any),
    numbered: left.numbered || right.numbered,
    rows: union(left.rows, right.rows, whole),
    places: undefined,
    spreads: false,
  };
  if (kind.endsWith('BY_NAME')) return both;
  if (left.places === undefined || right.places === undefined) {
    const other = [...right.names].map(([one, from]) => without(from, left.names.get(one) ?? NONE));
    return { ...both, any: union(both.any, ...other) };
  }
  const places = left.places.map(({ name: called, from }, at) => ({
    name: called,
    from: union(from, right.places?.[at]?.from ?? NONE),
  }));
  // What the recursion adds to other columns, it may add to any that follows from them.
  const added = name === '' ? [] : places.map(({ from }, at) => without(from, left.places?.[at]?.from ?? NONE));
  return {
    ...both,
    names: byName(places.map(({ name: called, from }) => [called, from])),
    any: union(both.any, ...added),
    places,
  };
}

function outputsOfSelect(query: Node, around: Scope): Outputs {
  const own = relationsOf(nodeAt(query, 'from_table'), around);
  let scope: Scope = { ...around, relations: [...own, ...around.relations] };
  const places: Place[] = [];
  const starred: (readonly [string, Origins])[] = [];
  const items = nodesAt(query, 'select_list');
  const numbered = mayNumber(items, own);
  let [any, star] = [NONE, false];
  for (const item of items) {
    if (textAt(item, 'class') === 'STAR') {
      star = true;
      const found = outputsOfStar(item, own, scope);
      starred.push(...found.names);
      any = union(any, found.any);
      continue;
    }
    const from = originsIn(item, scope);
    const name = writtenName(item);
    places.push({ name, from });
    if (from.size === 0) continue;
    // Later items may name earlier ones.
    scope = { ...scope, relations: [{ ...NOTHING, alias: '', names: new Map([[name, from]]) }, ...scope.relations] };
  }
  const names = byName([...starred, ...places.map(({ name, from }) => [name, from] as const)]);
  // A column without a name of its own has one that DuckDB makes of its expression.
  if (star) any = union(any, names.get('') ?? NONE);
  // How many columns come of a star in an expression, or of a struct that is unnested, is not written.
  const spreads = items.some((item) => textAt(item, 'class') !== 'STAR' && spreadsOut(item));
  if (star && spreads) any = union(any, ...fromOf(places));
  const rows = union(
    ...own.map((one) => one.rows),
    joinKeys(nodeAt(query, 'from_table'), scope),
    deciding(query, scope),
  );
  return { names, any, numbered, rows, places: star ? undefined : places, spreads };
}

/** What the clauses of a SELECT behind its FROM make of rows. */
function deciding(query: Node, scope: Scope): Origins {
  const modifiers = nodesAt(query, 'modifiers');
  const limited = modifiers.some((one) => textAt(one, 'type').startsWith('LIMIT'));
  const chosen = modifiers.filter((one) => limited || textAt(one, 'type') === 'DISTINCT_MODIFIER');
  const clauses = ['where_clause', 'group_expressions', 'having', 'qualify'].map((key) => query[key]);
  // GROUP BY ALL.
  const all = query['aggregate_handling'] === 'FORCE_AGGREGATES';
  const keys = all ? nodesAt(query, 'select_list').filter((item) => !scope.aggregates(item)) : [];
  return union(...[...clauses, ...chosen, ...keys].map((clause) => originsIn(clause, scope)));
}

function joinKeys(from: Node | undefined, scope: Scope): Origins {
  if (from === undefined || textAt(from, 'type') !== 'JOIN') return NONE;
  const using = textsAt(from, 'using_columns').map((name) => referred([name], scope));
  const sides = [nodeAt(from, 'left'), nodeAt(from, 'right')].map((side) => joinKeys(side, scope));
  return union(originsIn(from['condition'], scope), ...using, ...sides);
}

function outputsOfStar(item: Node, own: readonly Relation[], scope: Scope): Columns {
  const of = textAt(item, 'relation_name').toLowerCase();
  const relations = own.filter(({ alias }) => of === '' || alias === of);
  // The fields of a struct.
  if (relations.length === 0 && of !== '') return { ...NOTHING, any: referred([of], scope) };
  const names = new Map(byName(relations.flatMap((one) => [...one.names])));
  for (const { key, value } of nodesAt(item, 'rename_list') as readonly { key?: JsonValue; value?: JsonValue }[]) {
    const from = names.get(isNode(key) ? textAt(key, 'column').toLowerCase() : '');
    if (from !== undefined && typeof value === 'string') names.set(value.toLowerCase(), from);
  }
  for (const entry of nodesAt(item, 'replace_list')) {
    const from = originsIn(entry['value'], scope);
    if (from.size > 0) names.set(textAt(entry, 'key').toLowerCase(), from);
  }
  // COLUMNS(...) may rename what it takes, or make something else of it.
  const made = item['columns'] === true ? [allNames({ names })] : [];
  return { names, any: union(...made, ...relations.map((one) => one.any)), numbered: false, rows: NONE };
}

function relationsOf(from: Node | undefined, scope: Scope): readonly Relation[] {
  if (from === undefined) return [];
  const alias = (textAt(from, 'alias') || textAt(from, 'table_name')).toLowerCase();
  const aliases = textsAt(from, 'column_name_alias');
  switch (textAt(from, 'type')) {
    case 'EMPTY':
      return [];
    case 'BASE_TABLE': {
      const table = tableOf(from, scope);
      return [{ ...table, alias, any: aliases.length > 0 ? union(table.any, allNames(table)) : table.any }];
    }
    case 'SUBQUERY': {
      const inner = nodeAt(nodeAt(from, 'subquery') ?? {}, 'node') ?? {};
      return [{ alias, ...renamed(outputsOf(inner, scope), aliases) }];
    }
    case 'JOIN': {
      const left = relationsOf(nodeAt(from, 'left'), scope);
      // A join may be lateral.
      return [...left, ...relationsOf(nodeAt(from, 'right'), { ...scope, relations: [...left, ...scope.relations] })];
    }
    default:
      return [{ ...NOTHING, alias, any: originsIn(from, scope) }];
  }
}

function tableOf(node: Node, { tables, ctes }: Scope): Columns {
  const [catalog, schema, table] = ['catalog_name', 'schema_name', 'table_name'].map((key) =>
    textAt(node, key).toLowerCase(),
  ) as [string, string, string];
  const cte = schema === '' ? ctes.get(table) : undefined;
  return cte ?? { ...NOTHING, names: tables({ catalog, schema, table, offset: undefined }) };
}

/** What a value, or each value below a list or a clause, follows from. */
function originsIn(value: JsonValue | undefined, scope: Scope): Origins {
  if (Array.isArray(value)) return union(...value.map((one: JsonValue) => originsIn(one, scope)));
  if (!isNode(value)) return NONE;
  if (value['type'] === 'BASE_TABLE') return whole(tableOf(value, scope));
  const inside = (): Origins => union(...Object.values(value).map((inner) => originsIn(inner, scope)));
  switch (textAt(value, 'class')) {
    case 'COLUMN_REF':
      return referred(textsAt(value, 'column_names'), scope);
    case 'STAR':
    case 'POSITIONAL_REFERENCE':
      return union(...scope.relations.map(whole));
    case 'SUBQUERY':
      return originsOfSubquery(value, scope);
    case 'FUNCTION':
    case 'WINDOW': {
      if (!scope.counts && COUNTS.has(textAt(value, 'function_name').toLowerCase())) return NONE;
      // Of `name.upper()` the parser makes a function of a schema `name`.
      const method = ['catalog', 'schema'].map((key) => textAt(value, key)).filter(Boolean);
      return method.length > 0 ? union(referred(method, scope), inside()) : inside();
    }
    default:
      return inside();
  }
}

function originsOfSubquery(value: Node, scope: Scope): Origins {
  const inner = nodeAt(nodeAt(value, 'subquery') ?? {}, 'node') ?? {};
  const given = outputsOf(inner, scope);
  const said = textAt(value, 'subquery_type') === 'EXISTS' && !scope.counts ? NONE : allOutputs(given);
  return union(said, scope.counts ? given.rows : NONE, originsIn(value['child'], scope));
}

/**
 * A name may be a column's, a field's in it, or a relation's that stands for all of its columns. What a relation of that name does not
 * have, another may have that it hides, or a column of that name.
 */
function referred(written: readonly string[], scope: Scope): Origins {
  const parts = written.map((part) => part.toLowerCase());
  const [first = '', second] = parts;
  const { relations } = scope;
  if (second === undefined) {
    const entire = relations.filter(({ alias }) => alias === first).map(whole);
    return union(...entire, ...relations.map((one) => union(one.any, named(one, first))));
  }
  const same = relations.filter(({ alias }) => alias === first);
  if (same.length === 0)
    return union(...relations.flatMap((one) => [one.any, ...parts.map((part) => named(one, part))]));
  const found: Origins[] = [];
  for (const one of same) {
    found.push(one.any, ...parts.slice(1).map((part) => named(one, part)));
    if (named(one, second).size > 0) return union(...found);
  }
  // Of `a.b.c` a relation `b` has the column `c`.
  const below =
    parts.length > 2 && relations.some(({ alias }) => alias === second) ? referred(parts.slice(1), scope) : NONE;
  return union(...found, below, ...relations.map((one) => named(one, first)));
}
