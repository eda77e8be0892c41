import type { JsonValue } from '../ports.ts';
import { isNode, type Node, nodeAt, nodesAt, offsetOf, textAt } from '../sql/tree.ts';

/** A table that SQL names. `catalog` and `schema` are '' where the SQL gives none. */
export type NamedTable = {
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  /** UTF-8 bytes from the start of the SQL; `undefined` when DuckDB does not say. */
  readonly offset: number | undefined;
};

/**
 * Every table that a parse tree (Session.parse) names, subqueries included, in the order of the tree and as often as it
 * is named. Names of common table expressions are left out where they are in scope.
 */
export function tablesIn(tree: JsonValue): readonly NamedTable[] {
  const found: NamedTable[] = [];
  collect(tree, new Set(), found);
  return found;
}

/** As messages name it. */
export function showTable({ catalog, schema, table }: NamedTable): string {
  return `the table ${[catalog, schema, table].filter((part) => part !== '').join('.')}`;
}

function collect(value: JsonValue | undefined, ctes: ReadonlySet<string>, found: NamedTable[]): void {
  if (Array.isArray(value)) {
    for (const entry of value) collect(entry, ctes, found);
  } else if (isNode(value)) {
    if (value['type'] === 'BASE_TABLE') addTable(value, ctes, found);
    const inner = collectCtes(value, ctes, found);
    for (const [key, child] of Object.entries(value)) if (key !== 'cte_map') collect(child, inner, found);
  }
}

function addTable(node: Node, ctes: ReadonlySet<string>, found: NamedTable[]): void {
  const named = {
    catalog: textAt(node, 'catalog_name'),
    schema: textAt(node, 'schema_name'),
    table: textAt(node, 'table_name'),
    offset: offsetOf(node),
  };
  if (named.schema === '' && ctes.has(named.table.toLowerCase())) return;
  found.push(named);
}

/** A CTE sees those before it, and itself only when it is recursive. */
function collectCtes(node: Node, outer: ReadonlySet<string>, found: NamedTable[]): ReadonlySet<string> {
  const map = nodeAt(node, 'cte_map');
  if (map === undefined) return outer;
  const visible = new Set(outer);
  for (const entry of nodesAt(map, 'map')) {
    const name = textAt(entry, 'key').toLowerCase();
    const query = nodeAt(nodeAt(entry, 'value') ?? {}, 'query');
    const recursive = textAt(nodeAt(query ?? {}, 'node') ?? {}, 'type') === 'RECURSIVE_CTE_NODE';
    collect(entry, recursive ? new Set([...visible, name]) : visible, found);
    visible.add(name);
  }
  return visible;
}
