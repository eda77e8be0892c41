import type { JsonValue, Session } from '../ports.ts';
import { listFunctions } from '../sql/bind.ts';
import { type Node, nodeAt, nodesAt, textAt, textsAt, walk } from '../sql/tree.ts';

/** Names, in lower case, of DuckDB's functions that matter to row-wise SQL. */
export type FunctionLists = { readonly aggregates: ReadonlySet<string>; readonly volatile: ReadonlySet<string> };

/** Fails with the same rows every time, so a retry changes nothing. */
const STABLE_IN_FACT: readonly string[] = ['error'];

/** Macros over the clock or the session; duckdb_functions() gives macros no stability. */
const VOLATILE_MACROS: readonly string[] = [
  'ago',
  'pg_conf_load_time',
  'pg_postmaster_start_time',
  'user',
  'current_catalog',
];

/** What tells the time, and has another value in each run. */
const CLOCK: ReadonlySet<string> = new Set([
  'now',
  'today',
  'ago',
  'age',
  'transaction_timestamp',
  'get_current_time',
  'get_current_timestamp',
  'current_timestamp',
  'current_date',
  'current_time',
  'localtimestamp',
  'localtime',
]);

/** Whether what `volatileIn` found is the clock. */
export function isClock(called: string): boolean {
  return CLOCK.has(called.replace(/\(\)$/, ''));
}

/** What stands in the place of the clock. */
export const RUN_CLOCK = 'run_date() or run_time(), which the plan of a run fixes';

/** Written without brackets these parse as columns. */
const VOLATILE_WORDS: ReadonlySet<string> = new Set([
  'current_timestamp',
  'current_date',
  'current_time',
  'localtimestamp',
  'localtime',
  'current_user',
  'session_user',
]);

/** Table functions that make rows out of their arguments alone. */
const OWN_ROWS: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'repeat',
  'repeat_row',
  'json_each',
  'json_tree',
]);

/** Functions that tell of the process or the session, or run SQL that stands in a text. */
const OUTSIDE: ReadonlySet<string> = new Set([
  'getenv',
  'current_setting',
  'getvariable',
  'which_secret',
  'json_execute_serialized_sql',
  'write_log',
  'current_query',
  // Views hold the paths of the files that they read.
  'pg_get_viewdef',
  'nextval',
  'currval',
]);

/**
 * Every place in a tree that reaches beyond tables and values: files, the engine's catalog and settings, the process.
 * What these hold has no lineage and no snapshot, and is nobody's to read by way of a lake.
 */
export function foreignIn(tree: JsonValue): readonly { readonly node: Node; readonly called: string }[] {
  const found: { node: Node; called: string }[] = [];
  for (const node of walk(tree)) {
    const table = node['type'] === 'TABLE_FUNCTION' ? textAt(nodeAt(node, 'function') ?? {}, 'function_name') : '';
    if (table !== '' && !OWN_ROWS.has(table.toLowerCase())) found.push({ node, called: `the table function ${table}` });
    const name = node['class'] === 'FUNCTION' ? textAt(node, 'function_name') : '';
    if (OUTSIDE.has(name.toLowerCase())) found.push({ node, called: `the function ${name}` });
  }
  return found;
}

/** Asks the engine which functions aggregate and which answer differently from call to call or query to query. */
export async function loadFunctions(session: Session): Promise<FunctionLists> {
  const aggregates = new Set<string>();
  const volatile = new Set(VOLATILE_MACROS);
  for (const row of await session.rows(listFunctions())) {
    const name = String(row['name']).toLowerCase();
    if (row['aggregate'] === true) aggregates.add(name);
    else if (!STABLE_IN_FACT.includes(name)) volatile.add(name);
  }
  return { aggregates, volatile };
}

/**
 * Every place in a tree whose value changes between two runs over the same rows: the node and what was called.
 * `columns` (lower case) are names that hide the words without brackets, such as a column `current_date`.
 */
export function volatileIn(
  tree: JsonValue,
  lists: FunctionLists,
  columns: ReadonlySet<string>,
): readonly { readonly node: Node; readonly called: string }[] {
  const found: { node: Node; called: string }[] = [];
  for (const node of walk(tree)) {
    const name = textAt(node, 'function_name').toLowerCase();
    const called = node['class'] === 'FUNCTION' && isVolatile(name, node, lists);
    if (called) found.push({ node, called: `${name}()` });
    const [word, ...more] =
      node['class'] === 'COLUMN_REF' ? textsAt(node, 'column_names').map((part) => part.toLowerCase()) : [];
    const bare = word !== undefined && more.length === 0 && VOLATILE_WORDS.has(word) && !columns.has(word);
    if (bare) found.push({ node, called: word });
    if (typeof node['sample'] === 'object' && node['sample'] !== null) found.push({ node, called: 'TABLESAMPLE' });
  }
  return found;
}

/** age() of one timestamp measures from today. */
function isVolatile(name: string, node: Node, lists: FunctionLists): boolean {
  return lists.volatile.has(name) || (name === 'age' && nodesAt(node, 'children').length === 1);
}

/** What in an expression needs more than one row, or makes more than one of it; subqueries are not looked into. */
export function manyRowsIn(
  expression: JsonValue | undefined,
  lists: FunctionLists,
): readonly { readonly node: Node; readonly called: string }[] {
  const found: { node: Node; called: string }[] = [];
  for (const node of walk(expression, (inner) => inner['class'] !== 'SUBQUERY')) {
    const name = textAt(node, 'function_name').toLowerCase();
    if (node['class'] === 'WINDOW') found.push({ node, called: `the window function ${name}` });
    else if (node['class'] !== 'FUNCTION') continue;
    else if (lists.aggregates.has(name)) found.push({ node, called: `the aggregate ${name.replace(/_star$/, '')}` });
    else if (name === 'unnest' || name === 'unlist') found.push({ node, called: name });
  }
  return found;
}
