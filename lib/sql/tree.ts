import { isLosslessNumber, parse, stringify } from 'lossless-json';
import type { JsonValue } from '../core/json-value.ts';
import type { Statement } from '../core/statement.ts';
import { quoteName } from './quote.ts';
import { deserializeSql } from './syntax.ts';

/** A node of DuckDB's parse tree, as json_serialize_sql gives it. */
export type Node = { readonly [key: string]: JsonValue };

/** Numbers that survive JSON in JavaScript; DuckDB writes 2^64-1 for "nowhere". */
const NOWHERE = Number.MAX_SAFE_INTEGER;

export function isNode(value: JsonValue | undefined): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
}

export function nodeAt(node: Node, key: string): Node | undefined {
  const value = node[key];
  return isNode(value) ? value : undefined;
}

export function nodesAt(node: Node, key: string): readonly Node[] {
  const value = node[key];
  const entries: readonly JsonValue[] = Array.isArray(value) ? value : [];
  return entries.filter(isNode);
}

export function textAt(node: Node, key: string): string {
  const value = node[key];
  return typeof value === 'string' ? value : '';
}

export function textsAt(node: Node, key: string): readonly string[] {
  const value = node[key];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** The query node of each statement in a tree. */
export function statementsOf(tree: JsonValue): readonly Node[] {
  return isNode(tree)
    ? nodesAt(tree, 'statements')
        .map((statement) => nodeAt(statement, 'node'))
        .filter(isNode)
    : [];
}

/** A node's offset into the SQL in UTF-8 bytes; `undefined` when DuckDB does not say. */
export function offsetOf(node: Node | undefined): number | undefined {
  const offset = node?.['query_location'];
  return typeof offset === 'number' && offset < NOWHERE ? offset : undefined;
}

/** Every node below and including `value`, outer ones first. `enter` decides whether to look inside a node. */
export function* walk(value: JsonValue | undefined, enter: (node: Node) => boolean = () => true): Generator<Node> {
  if (Array.isArray(value)) {
    for (const entry of value) yield* walk(entry, enter);
  } else if (isNode(value)) {
    yield value;
    if (!enter(value)) return;
    for (const inner of Object.values(value)) yield* walk(inner, enter);
  }
}

/** `line 3, column 5` of a byte offset into UTF-8 text. */
export function placeOfOffset(sql: string, offset: number | undefined): string {
  if (offset === undefined) return 'line 1';
  const before = new TextDecoder().decode(new TextEncoder().encode(sql).subarray(0, offset)).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

/**
 * The parse tree that a query of `serializeSql` answered, ready to be changed and printed again: no number in it is
 * rounded, and what DuckDB would print differently from what it read is spelled so that it does not.
 */
export function readTree(text: string): JsonValue {
  return printable(parse(text) as JsonValue);
}

/** Asks DuckDB for the SQL of a tree, in a column `result`. */
export function printTree(tree: JsonValue): Statement {
  return deserializeSql(stringify(tree) ?? '');
}

/** A tree of one statement with another query node. */
export function withSelect(tree: Node, select: Node): Node {
  return { ...tree, statements: [{ ...nodesAt(tree, 'statements')[0], node: select }] };
}

/** A SELECT without WITH, filters, groups and what follows its rows. */
export function bareSelect(select: Node | undefined): Node {
  return {
    ...select,
    modifiers: [],
    cte_map: { map: [] },
    where_clause: null,
    group_expressions: [],
    group_sets: [],
    aggregate_handling: 'STANDARD_HANDLING',
    having: null,
    qualify: null,
    sample: null,
  };
}

/**
 * The tree with what DuckDB 1.5 prints differently from what it read: a DOUBLE literal (1e3 comes out as the DECIMAL
 * 1000.0) becomes a cast of its text, and the table of a star, which is printed bare, is quoted.
 */
function printable(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((entry: JsonValue) => printable(entry));
  if (!isNode(value)) return value;
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
