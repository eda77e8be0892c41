import type { JsonValue } from '../ports.ts';

/** A node of DuckDB's parse tree, as json_serialize_sql gives it. */
export type Node = { readonly [key: string]: JsonValue };

/** Numbers that survive JSON in JavaScript; DuckDB writes 2^64-1 for "nowhere". */
const NOWHERE = Number.MAX_SAFE_INTEGER;

export function isNode(value: JsonValue | undefined): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
