import type { JsonValue } from '../ports.ts';
import { type Node, nodeAt, nodesAt, offsetOf, statementsOf, textAt } from '../sql/tree.ts';
import { type FunctionLists, manyRowsIn } from './functions.ts';
import { tablesIn } from './references.ts';

/** Why something in a silver model keeps it from being a row-wise map. */
export type RowwiseFault = { readonly offset: number | undefined; readonly got: string; readonly expected: string };

const NO_FILTER =
  'no filter, because its rows would leave uncounted: use expect with policy drop, which quarantines them';
const ONE_SELECT = 'one SELECT from batch.<source> with LEFT JOINs: each source row becomes one row of the table';

const MODIFIERS: Readonly<Record<string, readonly [string, string]>> = {
  DISTINCT_MODIFIER: [
    'DISTINCT',
    "every row, because those left out would be uncounted: use append({ dedupe: 'row' })",
  ],
  LIMIT_MODIFIER: ['LIMIT', 'every row, because those left out would be uncounted'],
  LIMIT_PERCENT_MODIFIER: ['LIMIT', 'every row, because those left out would be uncounted'],
  ORDER_MODIFIER: ['ORDER BY', 'no order in the SQL: use sortBy, which orders the rows of each file'],
};

/**
 * Checks that a silver model maps each row of its source to one row: one top-level SELECT whose leftmost table is
 * `batch.<source>`, others joined by LEFT JOIN alone, nothing that filters, groups or multiplies rows. That a join
 * multiplies rows by its data is found when it runs.
 */
export function checkRowwise(tree: JsonValue, source: string, functions: FunctionLists): readonly RowwiseFault[] {
  const [select] = statementsOf(tree);
  if (select === undefined || select['type'] !== 'SELECT_NODE') {
    const got =
      select?.['type'] === 'SET_OPERATION_NODE'
        ? `${textAt(select, 'setop_type')} at the top level`
        : 'no SELECT at the top level';
    return [{ offset: offsetOf(select), got, expected: ONE_SELECT }];
  }
  return [
    ...clauseFaults(select),
    ...listFaults(select, functions),
    ...fromFaults(nodeAt(select, 'from_table')),
    ...batchFaults(tree, select, source),
  ];
}

/** The table whose rows a silver model maps: the leftmost of its FROM. */
export function leftmostTable(tree: JsonValue): Node | undefined {
  const [select] = statementsOf(tree);
  let table = select === undefined ? undefined : nodeAt(select, 'from_table');
  while (table?.['type'] === 'JOIN') table = nodeAt(table, 'left');
  return table?.['type'] === 'BASE_TABLE' ? table : undefined;
}

function clauseFaults(select: Node): readonly RowwiseFault[] {
  const faults: RowwiseFault[] = [];
  const clause = (key: string, name: string, expected: string): void => {
    const node = nodeAt(select, key);
    if (node !== undefined) faults.push({ offset: offsetOf(node), got: name, expected });
  };
  clause('where_clause', 'WHERE', NO_FILTER);
  clause('having', 'HAVING', NO_FILTER);
  clause('qualify', 'QUALIFY', NO_FILTER);
  clause('sample', 'USING SAMPLE', NO_FILTER);
  const groups = nodesAt(select, 'group_expressions');
  const grouped = groups.length > 0 || select['aggregate_handling'] === 'FORCE_AGGREGATES';
  if (grouped)
    faults.push({
      offset: offsetOf(groups[0]),
      got: 'GROUP BY',
      expected: 'one row per source row; group in a gold model',
    });
  for (const modifier of nodesAt(select, 'modifiers')) {
    const [name, expected] = MODIFIERS[textAt(modifier, 'type')] ?? [textAt(modifier, 'type'), ONE_SELECT];
    faults.push({ offset: firstOffset(modifier), got: name, expected });
  }
  return faults;
}

function firstOffset(modifier: Node): number | undefined {
  const inner = [
    ...nodesAt(modifier, 'orders').map((order) => nodeAt(order, 'expression')),
    ...nodesAt(modifier, 'distinct_on_targets'),
    nodeAt(modifier, 'limit'),
  ];
  return inner.map(offsetOf).find((offset) => offset !== undefined);
}

function listFaults(select: Node, functions: FunctionLists): readonly RowwiseFault[] {
  return manyRowsIn(select['select_list'], functions).map(({ node, called }) => ({
    offset: offsetOf(node),
    got: called,
    expected:
      'an expression over one row, because a worker sees only part of the rows; a gold model can look at all of them',
  }));
}

/** Walks down the left side of the joins. */
function fromFaults(from: Node | undefined): readonly RowwiseFault[] {
  if (from?.['type'] !== 'JOIN') return [];
  const faults: RowwiseFault[] = [];
  const kind = textAt(from, 'join_type');
  const how = textAt(from, 'ref_type');
  const right = nodeAt(from, 'right');
  const offset = offsetOf(from) ?? offsetOf(right);
  if (kind !== 'LEFT' || how === 'CROSS' || how === 'POSITIONAL') {
    const got = how === 'REGULAR' ? `${kind} JOIN` : `${how} JOIN`;
    faults.push({ offset, got, expected: 'LEFT JOIN, because other joins drop or multiply rows' });
  } else if (how === 'NATURAL') {
    faults.push({
      offset,
      got: 'NATURAL LEFT JOIN',
      expected: 'LEFT JOIN with ON or USING, because a new column would change a natural join',
    });
  }
  if (right?.['type'] === 'TABLE_FUNCTION') {
    faults.push({
      offset: offsetOf(right),
      got: 'a joined table function',
      expected: 'a silver table, a subquery or a WITH query',
    });
  }
  return [...faults, ...fromFaults(nodeAt(from, 'left'))];
}

function batchFaults(tree: JsonValue, select: Node, source: string): readonly RowwiseFault[] {
  const expected = `batch.${source} once, as the leftmost table of the top-level SELECT`;
  const left = leftmostTable(tree);
  const right = textAt(left ?? {}, 'schema_name').toLowerCase() === 'batch';
  const tables = tablesIn(tree);
  const [first, ...more] = tables.filter((table) => table.schema.toLowerCase() === 'batch');
  if (first === undefined) return [{ offset: offsetOf(nodeAt(select, 'from_table')), got: 'no batch table', expected }];
  if (!right) return [{ offset: first.offset, got: `batch.${first.table} elsewhere`, expected }];
  if (more.length > 0)
    return more.map((table) => ({ offset: table.offset, got: `batch.${table.table} again`, expected }));
  const from = nodeAt(select, 'from_table');
  if (from?.['type'] !== 'JOIN' || tables.some((table) => table.schema.toLowerCase() === 'silver')) return [];
  // A run counts rows only where a table of the lake could multiply them.
  return [
    {
      offset: offsetOf(from),
      got: 'a join that reads no silver table',
      expected: 'a silver table; a few fixed values fit in a CASE',
    },
  ];
}
