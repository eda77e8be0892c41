import type { Sql } from '../core/sql-text.ts';
import { type ColumnType, renderColumnType } from '../core/types.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { hasOddities, markNumbers, strictJson, unmarkDecimal, unmarkText } from './json-text.ts';
import { parseScalar, type ScalarType } from './parse-scalar.ts';
import { firstOf, gotText, type NestedColumn, type PathSql, packList, packStruct } from './parsed.ts';
import { quoteText, quoteTexts } from './quote.ts';

/** The text of a leaf as it is to be parsed. */
type LeafText = (type: ScalarType, text: Sql) => Sql;

const AS_READ: LeafText = (_, text) => text;
const UNMARKED: LeafText = ({ kind }, text) => (kind === 'decimal' ? unmarkDecimal(text) : unmarkText(text));

/**
 * JSON text as a list or struct. Keys are compared exactly; one that an object lacks is null, as `null` is. Every leaf
 * is a text that is parsed as a column of its type is; keys that the type does not name are left out. The few texts with
 * numbers that DuckDB would change take another way, so that these keep their digits.
 */
export function parseNested(type: ColumnType, text: Sql): NestedColumn {
  const odd = hasOddities(text);
  const usual = parseWhole(type, text, text, AS_READ);
  const exact = parseWhole(type, markNumbers(strictJson(text)), text, UNMARKED);
  const either = (one: Sql, other: Sql): Sql => sql`(CASE WHEN ${odd} THEN ${one} ELSE ${other} END)`;
  return {
    value: either(exact.value, usual.value),
    exact: either(exact.exact, usual.exact),
    same: false,
    fault: (path) => either(exact.fault(path), usual.fault(path)),
    text,
  };
}

/** `read`: the text that is taken apart; `text`: the one to show. */
function parseWhole(type: ColumnType, read: Sql, text: Sql, leaf: LeafText): NestedColumn {
  const json = sql`TRY_CAST(${read} AS JSON)`;
  const shape = sql`json_transform(${json}, ${quoteText(textStructure(type))})`;
  const { value, exact } = parseShape(type, sql`shape`, 0, leaf);
  const slow = parseJson(type, json, 0, leaf);
  const fits = shapeFits(type, json) ?? slow.exact;
  const root = quoteText(type.kind === 'list' ? 'ARRAY' : 'OBJECT');
  const fault = (path: PathSql): Sql => {
    const whole = gotText(path, text, sql`json_type(${json}) = ${root}`, renderColumnType(type));
    return firstOf([whole, slow.fault(path)]);
  };
  // A lambda is the only place where SQL gives a value a name: DuckDB would take the text apart again for every use of it.
  const named = (of: Sql): Sql => sql`list_transform([${shape}], lambda shape: ${of})[1]`;
  const whole = sql`json_type(${json}) = ${root} AND ${fits}`;
  const sound = sql`(CASE WHEN ${named(sql`shape IS NULL OR ${mayMisfit(type, sql`shape`, 0)}`)} THEN ${whole} ELSE true END)`;
  return { value: named(value), exact: sql`COALESCE(${sound} AND ${named(exact)}, false)`, same: false, fault, text };
}

/**
 * The parts of a value that is in its shape already, with text in the leaves. The whole text is taken apart once, by
 * `json_transform`, which makes null of what is missing and of what has another shape alike.
 */
function parseShape(type: ColumnType, shape: Sql, depth: number, leaf: LeafText): JsonPart {
  if (type.kind === 'list') {
    return {
      raw: shape,
      same: false,
      ...packList(shape, parseShape(type.element, sql`item${depth}`, depth + 1, leaf), depth),
    };
  }
  if (type.kind !== 'struct') return parseLeaf(type, leaf(type, shape));
  const fields = type.fields.map((f, i) => ({
    name: f.name,
    ...parseShape(f.type, sql`struct_extract_at(${shape}, ${i + 1})`, depth, leaf),
  }));
  return { raw: shape, same: false, ...packStruct(shape, fields) };
}

/** Whether a part may have had another shape: a list that is null, a struct without any value. */
function mayMisfit(type: ColumnType, shape: Sql, depth: number): Sql {
  const item = sql`item${depth}`;
  if (type.kind === 'list') {
    if (!hasParts(type.element)) return sql`${shape} IS NULL`;
    const odd = mayMisfit(type.element, item, depth + 1);
    return sql`(${shape} IS NULL OR len(list_filter(${shape}, lambda ${item}: ${odd})) > 0)`;
  }
  if (type.kind !== 'struct') return sql`false`;
  const fields = type.fields.map((f, i) => ({ type: f.type, part: sql`struct_extract_at(${shape}, ${i + 1})` }));
  const empty = join(
    fields.map(({ part }) => sql`${part} IS NULL`),
    ' AND ',
  );
  const inside = fields.filter((f) => hasParts(f.type)).map((f) => mayMisfit(f.type, f.part, depth));
  return sql`(${join([sql`(${shape} IS NOT NULL AND ${empty})`, ...inside], ' OR ')})`;
}

function hasParts(type: ColumnType): boolean {
  return type.kind === 'list' || type.kind === 'struct';
}

/** Whether every part that has parts is of its JSON type, where it is there; undefined where no path can name one. */
function shapeFits(type: ColumnType, json: Sql): Sql | undefined {
  const groups = groupsIn(type, { pointer: '', path: '$', inList: false, nameable: true });
  if (groups.some((g) => g.inList && !g.nameable)) return undefined;
  const plain = groups.filter((g) => !g.inList);
  const types = sql`json_type(${json}, ${quoteTexts(plain.map((g) => g.pointer))})`;
  const fits = [
    ...plain.map((g, i) => sql`COALESCE(${types}[${i + 1}] IN ('NULL', ${quoteText(g.shape)}), true)`),
    ...groups
      .filter((g) => g.inList)
      .map((g) => sql`list_has_all(['NULL', ${quoteText(g.shape)}], json_type(${json}, ${quoteText(g.path)}))`),
  ];
  return fits.length === 0 ? sql`true` : join(fits, ' AND ');
}

type Group = Place & { readonly type: ColumnType; readonly shape: 'ARRAY' | 'OBJECT' };

/** Where a part stands: as RFC 6901 has it, and as a path of DuckDB, which alone has lists but not every name. */
type Place = { readonly pointer: string; readonly path: string; readonly inList: boolean; readonly nameable: boolean };

/** The parts inside a type that have parts themselves. */
function groupsIn(type: ColumnType, place: Place): readonly Group[] {
  const inner: (readonly [ColumnType, Place])[] = [];
  if (type.kind === 'list') inner.push([type.element, { ...place, path: `${place.path}[*]`, inList: true }]);
  if (type.kind === 'struct') {
    for (const { name, type: field } of type.fields) {
      const nameable = place.nameable && !/["\\*]/.test(name) && name !== '';
      const at = { pointer: place.pointer + jsonPointer(name), path: `${place.path}."${name}"`, nameable };
      inner.push([field, { ...place, ...at }]);
    }
  }
  return inner.flatMap(([field, at]) => {
    if (!hasParts(field)) return [];
    return [
      { ...at, type: field, shape: field.kind === 'list' ? ('ARRAY' as const) : ('OBJECT' as const) },
      ...groupsIn(field, at),
    ];
  });
}

/** As text, since JavaScript would put keys that look like numbers first. */
function textStructure(type: ColumnType): string {
  if (type.kind === 'list') return `[${textStructure(type.element)}]`;
  if (type.kind !== 'struct') return '"VARCHAR"';
  return `{${type.fields.map((f) => `${JSON.stringify(f.name)}:${textStructure(f.type)}`).join(',')}}`;
}

/** Where JSON text has keys that the type does not name, at any depth: whether it has none, and what to say of them. */
export type StrangeKeys = { readonly none: Sql; readonly paths: (path: string) => Sql };

/** `undefined` for a type without keys. `paths` gives a list of text: each strange key after the path of what it is in. */
export function strangeKeys(type: ColumnType, text: Sql): StrangeKeys | undefined {
  if (!hasKeys(type)) return undefined;
  const json = sql`TRY_CAST(${text} AS JSON)`;
  const paths = (path: string): Sql => sql`coalesce(${strangeIn(type, json, quoteText(path), 0)}, [])`;
  const start: Place = { pointer: '', path: '$', inList: false, nameable: true };
  const groups: readonly Group[] = [
    { ...start, type, shape: type.kind === 'list' ? 'ARRAY' : 'OBJECT' },
    ...groupsIn(type, start),
  ];
  if (groups.some((g) => g.inList && !g.nameable)) return { none: sql`len(${paths('')}) = 0`, paths };
  const known = groups.flatMap((g) => {
    if (g.type.kind !== 'struct') return [];
    const names = quoteTexts(g.type.fields.map((f) => f.name));
    const keys = sql`json_keys(${json}, ${quoteText(g.inList ? g.path : g.pointer)})`;
    return [sql`list_has_all(${names}, coalesce(${g.inList ? sql`flatten(${keys})` : keys}, []))`];
  });
  return { none: join(known, ' AND '), paths };
}

/** Whether a type has keys at all. */
function hasKeys(type: ColumnType): boolean {
  return type.kind === 'struct' || (type.kind === 'list' && hasKeys(type.element));
}

type JsonPart = NestedColumn & { readonly raw: Sql };

/** Part by part, each taken from the JSON text anew: says what is wrong and where, but is slow. */
function parseJson(type: ColumnType, json: Sql, depth: number, leaf: LeafText): JsonPart {
  if (type.kind === 'struct') {
    const parts = partsOf(type, json);
    const fields = type.fields.map((f, i) => ({
      name: f.name,
      ...parseJson(f.type, sql`${parts}[${i + 1}]`, depth, leaf),
    }));
    const packed = packStruct(json, fields);
    const value = sql`CASE WHEN json_type(${json}) = 'OBJECT' THEN ${packed.value} END`;
    return shaped(type, json, 'OBJECT', { ...packed, value });
  }
  if (type.kind === 'list') {
    const items = itemsOf(json);
    return shaped(
      type,
      json,
      'ARRAY',
      packList(items, parseJson(type.element, sql`item${depth}`, depth + 1, leaf), depth),
    );
  }
  return parseLeaf(type, leaf(type, sql`(${json} ->> '$')`));
}

function parseLeaf(type: ScalarType, text: Sql): JsonPart {
  const { value } = parseScalar(type, text, NOTHING);
  const { exact } = parseScalar(type, text, value);
  return { raw: text, value, exact, same: false, fault: (path) => gotText(path, text, exact, renderColumnType(type)) };
}

/** Something that has to be of one JSON type or `null`. */
function shaped(type: ColumnType, json: Sql, shape: string, inner: Omit<NestedColumn, 'same'>): JsonPart {
  const fits = sql`json_type(${json}) IN ('NULL', ${quoteText(shape)})`;
  const fault = (path: PathSql): Sql =>
    firstOf([
      gotText(path, unmarkText(sql`CAST(${json} AS VARCHAR)`), fits, renderColumnType(type)),
      inner.fault(path),
    ]);
  const exact = inner.exact === 'true' ? fits : sql`(${fits} AND ${inner.exact})`;
  return { raw: json, value: inner.value, exact, same: false, fault };
}

/** The values of a struct's fields in their order: one pass over the text, names taken as they are. */
function partsOf(type: Extract<ColumnType, { kind: 'struct' }>, json: Sql): Sql {
  return sql`json_extract(${json}, ${quoteTexts(type.fields.map((f) => jsonPointer(f.name)))})`;
}

function itemsOf(json: Sql): Sql {
  return sql`(CASE WHEN json_type(${json}) = 'ARRAY' THEN json_extract(${json}, '$[*]') END)`;
}

function strangeIn(type: ColumnType, json: Sql, path: Sql, depth: number): Sql {
  const key = sql`key${depth}`;
  if (type.kind === 'list') {
    const at = sql`${path} || '[' || at${depth} || ']'`;
    const inner = strangeIn(type.element, sql`item${depth}`, at, depth + 1);
    return sql`flatten(list_transform(${itemsOf(json)}, lambda item${depth}, at${depth}: coalesce(${inner}, [])))`;
  }
  if (type.kind !== 'struct') return sql`CAST([] AS VARCHAR[])`;
  const names = quoteTexts(type.fields.map((f) => f.name));
  const own = sql`list_transform(list_filter(json_keys(${json}), lambda ${key}: NOT list_contains(${names}, ${key})), lambda ${key}: ${path} || '.' || ${key})`;
  const parts = partsOf(type, json);
  const inner = type.fields.flatMap((f, i) =>
    hasKeys(f.type)
      ? [
          sql`coalesce(${strangeIn(f.type, sql`${parts}[${i + 1}]`, sql`${path} || ${quoteText(`.${f.name}`)}`, depth + 1)}, [])`,
        ]
      : [],
  );
  const all = inner.reduce((list, one) => sql`list_concat(${list}, ${one})`, sql`coalesce(${own}, [])`);
  return sql`(CASE WHEN json_type(${json}) = 'OBJECT' THEN ${all} END)`;
}

/** RFC 6901, so that any name can be asked for. */
export function jsonPointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
