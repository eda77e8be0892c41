import type { JsonValue } from '../../core/json-value.ts';
import type { Stop } from '../../core/ladder.ts';
import { nodeAt, nodesAt, statementsOf, textAt, textsAt, walk } from '../tree.ts';
import { isKeptApart } from './kept-apart.ts';
import { type KeyColumn, keyCandidates } from './key-columns.ts';
import { nameOfCall, renamedIn } from './nodes.ts';
import type { Names } from './scope.ts';

/**
 * Ways to compute a query bucket by bucket: for each, the tables whose rows are kept apart, by the hash of a column. All that comes
 * of rows with one value of it comes of the rows of one bucket, and of all rows of the other tables.
 */
export function findExchanges(
  tree: JsonValue,
  names: Names,
  aggregates: ReadonlySet<string>,
): readonly (readonly KeyColumn[])[] | Stop {
  const [select] = statementsOf(tree);
  const stops = orderedIn(tree, aggregates) ?? renamedIn(tree);
  if (select === undefined || stops !== undefined) return { stops: stops ?? 'no SELECT' };
  const answers = keyCandidates(select, names).map((keys) => ({
    keys,
    apart: isKeptApart(select, names, keys, aggregates),
  }));
  const found = answers.filter(({ apart }) => apart.kind === 'apart').map(({ keys }) => keys);
  if (found.length > 0) return found;
  const stopped = answers.map(({ apart }) => (apart.kind === 'stops' ? apart.stops : undefined));
  return { stops: stopped.find((one) => one !== undefined) ?? 'no column that is grouped by, or joined with another' };
}

/** Aggregates whose answer is another where their rows come in another order. */
const IN_ORDER: ReadonlySet<string> = new Set([
  'first',
  'last',
  'any_value',
  'arbitrary',
  'list',
  'array_agg',
  'string_agg',
  'group_concat',
  'listagg',
  'json_group_array',
  'json_group_object',
  'arg_min',
  'arg_max',
  'min_by',
  'max_by',
  'argmin',
  'argmax',
  'mode',
]);

function orderedIn(tree: JsonValue, aggregates: ReadonlySet<string>): string | undefined {
  for (const node of walk(tree)) {
    const name = nameOfCall(node);
    if (node['class'] !== 'FUNCTION' || !aggregates.has(name) || !IN_ORDER.has(name)) continue;
    if (nodesAt(nodeAt(node, 'order_bys') ?? {}, 'orders').length === 0)
      return `the aggregate ${textAt(node, 'function_name')} in no order`;
  }
  return undefined;
}

/** The columns of a table that SQL may name, in their order: all of them where it has a star, or takes a row by the name of its table. */
export function namedColumns(tree: JsonValue, columns: readonly string[]): readonly string[] {
  const named = new Set<string>();
  const rows = new Set<string>();
  for (const node of walk(tree)) {
    if (node['class'] === 'STAR' || textAt(node, 'ref_type') === 'NATURAL') return columns;
    const names = node['class'] === 'COLUMN_REF' ? textsAt(node, 'column_names') : textsAt(node, 'using_columns');
    for (const name of names.slice(-1)) rows.add(name.toLowerCase());
    for (const name of names) named.add(name.toLowerCase());
  }
  for (const node of walk(tree)) {
    const alias = textAt(node, 'alias') || textAt(node, 'table_name');
    if (Object.hasOwn(node, 'sample') && rows.has(alias.toLowerCase())) return columns;
  }
  return columns.filter((name) => named.has(name.toLowerCase()));
}
