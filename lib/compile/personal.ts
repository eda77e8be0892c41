import { logTable } from '../core/keyed.ts';
import { type ModelSpec, modelId, type OtherTable } from '../core/spec.ts';
import type { JsonValue } from '../ports.ts';
import { isNode, type Node, nodeAt, nodesAt, statementsOf, textAt, textsAt, walk } from '../sql/tree.ts';
import type { SourceDraft } from './draft.ts';
import type { NamedTable } from './references.ts';

/** The personal columns of a table that SQL names, in lower case. */
export type PersonalOf = (table: NamedTable) => ReadonlySet<string>;

/**
 * What of a relation is personal: columns by name, or, where they are not told apart, any of them. `numbered`: DuckDB may
 * have put a number behind a name that was there already.
 */
type Personal = { readonly names: ReadonlySet<string>; readonly any: boolean; readonly numbered: boolean };

/**
 * The columns that a query gives. `places` says of each whether it is personal; undefined where a star hides how many there
 * are. `spreads`: what is written as one column may give several.
 */
type Outputs = Personal & { readonly places: readonly boolean[] | undefined; readonly spreads: boolean };

type Relation = Personal & { readonly alias: string };

/** What names can mean at a place: common table expressions, and the relations of this query and of those around it. */
type Scope = {
  readonly tables: PersonalOf;
  readonly ctes: ReadonlyMap<string, Personal>;
  readonly relations: readonly Relation[];
};

const NOTHING: Personal = { names: new Set(), any: false, numbered: false };

/** Functions that say of rows only how many there are. */
const COUNTS: ReadonlySet<string> = new Set(['count', 'count_star', 'count_if', 'countif', 'approx_count_distinct']);

/**
 * Which of the columns of a query hold what is personal in the tables that it reads: copies, and whatever an expression
 * makes of them, but for counts. Where names leave it open, a column is one of them.
 */
export function personalColumns(tree: JsonValue, columns: readonly string[], tables: PersonalOf): readonly string[] {
  const [query] = statementsOf(tree);
  if (query === undefined) return [];
  const given = outputsOf(query, { tables, ctes: new Map(), relations: [] });
  // What is written as one column may have become several: then nobody knows which they are.
  const found = given.places?.length === columns.length ? given : settled(given);
  return columns.filter((name, at) => found.any || found.places?.[at] === true || hasName(found, name.toLowerCase()));
}

/** The tables that a model may name: batches, those of models before it and their logs, and those of other pipelines. */
export function personalTables(
  sources: ReadonlyMap<string, SourceDraft>,
  specs: ReadonlyMap<string, ModelSpec>,
  others: readonly OtherTable[],
): PersonalOf {
  const known = new Map<string, ReadonlySet<string>>();
  const add = (name: string, columns: readonly string[] = []): void =>
    void known.set(name.toLowerCase(), new Set(columns.map((column) => column.toLowerCase())));
  for (const { spec } of sources.values()) {
    const personal = spec.columns.filter((column) => column.personal === true);
    add(
      `batch.${spec.name}`,
      personal.map(({ name }) => name),
    );
  }
  for (const [id, { layer, name, personal }] of specs) {
    add(id, personal);
    add(modelId({ layer, name: logTable({ pipeline: '', layer, name }).name }), personal);
  }
  for (const other of others) add(modelId(other), other.personal);
  return ({ catalog, schema, table }) => {
    const ref = [catalog, schema, table].filter((part) => part !== '').join('.');
    return known.get(ref) ?? known.get(`${schema}.${table}`) ?? new Set();
  };
}

function outputsOf(query: Node, around: Scope): Outputs {
  const scope = withCtes(query, around);
  switch (textAt(query, 'type')) {
    case 'SELECT_NODE':
      return outputsOfSelect(query, scope);
    case 'SET_OPERATION_NODE':
    case 'RECURSIVE_CTE_NODE':
      return outputsOfBoth(query, scope);
    default:
      return { ...NOTHING, any: touches(query, scope), places: undefined, spreads: false };
  }
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
  const byName = textAt(query, 'setop_type').endsWith('BY_NAME');
  const names = new Set([...left.names, ...right.names]);
  const both = { names, numbered: left.numbered || right.numbered, places: undefined, spreads: false };
  if (byName) return { ...both, any: left.any || right.any };
  if (left.places === undefined || right.places === undefined) {
    const same = [...right.names].every((one) => left.names.has(one));
    return { ...both, any: left.any || right.any || !same };
  }
  const places = left.places.map((personal, at) => personal || right.places?.[at] === true);
  // What the recursion adds to other columns, it may add to any that follows from them.
  const grows = name !== '' && places.some((personal, at) => personal !== left.places?.[at]);
  return { ...both, names: left.names, any: left.any || right.any || grows, places };
}

/** Of columns whose number is not what is written, all are personal if one is. */
function settled(outputs: Outputs): Outputs {
  const any = outputs.any || outputs.places?.some(Boolean) === true;
  return { ...outputs, any, places: undefined, spreads: false };
}

function settledIfSpread(outputs: Outputs): Outputs {
  return outputs.spreads ? settled(outputs) : outputs;
}

/** Columns that get other names are told apart by their places alone. */
function renamed(outputs: Outputs, aliases: readonly string[]): Personal {
  const { names, any, numbered, places } = settledIfSpread(outputs);
  // More of them than have a name: one has that which DuckDB gives it.
  if (aliases.length === 0) return { names, any: any || (places?.filter(Boolean).length ?? 0) > names.size, numbered };
  if (places === undefined) return { names, any: any || names.size > 0, numbered };
  const given = aliases.filter((_, at) => places[at]).map((one) => one.toLowerCase());
  // Columns after those that get a name keep theirs.
  const kept = places.slice(aliases.length).some(Boolean);
  return { names: new Set(given), any: any || kept, numbered: false };
}

function outputsOfSelect(query: Node, around: Scope): Outputs {
  const own = relationsOf(nodeAt(query, 'from_table'), around);
  let scope: Scope = { ...around, relations: [...own, ...around.relations] };
  const names = new Set<string>();
  const places: boolean[] = [];
  const items = nodesAt(query, 'select_list');
  const numbered = mayNumber(items, own);
  let [any, star] = [false, false];
  for (const item of items) {
    if (textAt(item, 'class') === 'STAR') {
      star = true;
      const found = outputsOfStar(item, own, scope);
      for (const name of found.names) names.add(name);
      any ||= found.any;
      continue;
    }
    const personal = touches(item, scope);
    places.push(personal);
    if (!personal) continue;
    const name = nameOf(item);
    names.add(name);
    // Later items may name earlier ones.
    scope = { ...scope, relations: [{ ...NOTHING, alias: '', names: new Set([name]) }, ...scope.relations] };
  }
  // A column without a name of its own has one that DuckDB makes of its expression.
  if (names.delete('') && star) any = true;
  // How many columns come of a star in an expression, or of a struct that is unnested, is not written.
  const spreads = items.some((item) => textAt(item, 'class') !== 'STAR' && spreadsOut(item));
  if (star && spreads && places.some(Boolean)) any = true;
  return { names, any, numbered, places: star ? undefined : places, spreads };
}

function nameOf(item: Node): string {
  return (textAt(item, 'alias') || textsAt(item, 'column_names').at(-1) || '').toLowerCase();
}

/** Whether two columns may have one name, of which DuckDB then calls the second `name_1`. */
function mayNumber(items: readonly Node[], own: readonly Relation[]): boolean {
  const star = items.some((item) => textAt(item, 'class') === 'STAR');
  if (star && (items.length > 1 || own.length > 1 || own.some((one) => one.numbered))) return true;
  const written = items.map(nameOf).filter((name) => name !== '');
  return new Set(written).size < written.length;
}

function spreadsOut(item: Node): boolean {
  for (const node of walk(item, (inner) => textAt(inner, 'class') !== 'SUBQUERY')) {
    const kind = textAt(node, 'class');
    if (kind === 'STAR' || (kind === 'FUNCTION' && textAt(node, 'function_name').toLowerCase() === 'unnest'))
      return true;
  }
  return false;
}

function outputsOfStar(item: Node, own: readonly Relation[], scope: Scope): Personal {
  const of = textAt(item, 'relation_name').toLowerCase();
  const relations = own.filter(({ alias }) => of === '' || alias === of);
  // The fields of a struct.
  if (relations.length === 0 && of !== '') return { ...NOTHING, any: refers([of], scope) };
  const names = new Set(relations.flatMap((one) => [...one.names]));
  for (const { key, value } of nodesAt(item, 'rename_list') as readonly { key?: JsonValue; value?: JsonValue }[]) {
    const column = isNode(key) ? textAt(key, 'column').toLowerCase() : '';
    if (names.has(column) && typeof value === 'string') names.add(value.toLowerCase());
  }
  for (const entry of nodesAt(item, 'replace_list')) {
    if (touches(entry['value'], scope)) names.add(textAt(entry, 'key').toLowerCase());
  }
  // COLUMNS(...) may rename what it takes, or make something else of it.
  const made = item['columns'] === true && names.size > 0;
  return { names, any: made || relations.some((one) => one.any), numbered: false };
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
      return [{ ...table, alias, any: table.any || (aliases.length > 0 && table.names.size > 0) }];
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
      return [{ ...NOTHING, alias, any: touches(from, scope) }];
  }
}

function tableOf(node: Node, { tables, ctes }: Scope): Personal {
  const [catalog, schema, table] = ['catalog_name', 'schema_name', 'table_name'].map((key) =>
    textAt(node, key).toLowerCase(),
  ) as [string, string, string];
  const cte = schema === '' ? ctes.get(table) : undefined;
  return cte ?? { ...NOTHING, names: tables({ catalog, schema, table, offset: undefined }) };
}

/** Whether something follows from what is personal. */
function touches(value: JsonValue | undefined, scope: Scope): boolean {
  if (Array.isArray(value)) return value.some((one: JsonValue) => touches(one, scope));
  if (!isNode(value)) return false;
  if (value['type'] === 'BASE_TABLE') return isPersonal(tableOf(value, scope));
  switch (textAt(value, 'class')) {
    case 'COLUMN_REF':
      return refers(textsAt(value, 'column_names'), scope);
    case 'STAR':
    case 'POSITIONAL_REFERENCE':
      return scope.relations.some(isPersonal);
    case 'SUBQUERY': {
      const inner = nodeAt(nodeAt(value, 'subquery') ?? {}, 'node') ?? {};
      const { places, ...given } = outputsOf(inner, scope);
      const said = textAt(value, 'subquery_type') !== 'EXISTS' && (isPersonal(given) || places?.some(Boolean) === true);
      return said || touches(value['child'], scope);
    }
    case 'FUNCTION':
    case 'WINDOW':
      if (COUNTS.has(textAt(value, 'function_name').toLowerCase())) return false;
      // Of `name.upper()` the parser makes a function of a schema `name`.
      if (refersIfWritten(['catalog', 'schema'].map((key) => textAt(value, key)).filter(Boolean), scope)) return true;
  }
  return Object.values(value).some((inner) => touches(inner, scope));
}

function isPersonal({ names, any }: Personal): boolean {
  return any || names.size > 0;
}

/** A name may be a column's, a field's in it, or a relation's that stands for all of its columns. */
function refers(written: readonly string[], { relations }: Scope): boolean {
  const parts = written.map((part) => part.toLowerCase());
  const [first = '', second] = parts;
  const of = second === undefined ? undefined : relations.find(({ alias }) => alias === first);
  if (of !== undefined) return of.any || parts.slice(1).some((part) => hasName(of, part));
  const whole = relations.some((one) => one.alias === first && second === undefined && isPersonal(one));
  return whole || relations.some((one) => one.any || parts.some((part) => hasName(one, part)));
}

function refersIfWritten(written: readonly string[], scope: Scope): boolean {
  return written.length > 0 && refers(written, scope);
}

function hasName({ names, numbered }: Personal, name: string): boolean {
  if (names.has(name)) return true;
  const before = numbered ? /^(.+)[_:]\d+$/.exec(name)?.[1] : undefined;
  return before !== undefined && hasName({ names, numbered, any: false }, before);
}
