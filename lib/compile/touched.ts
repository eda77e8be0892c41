import type { GoldRefresh, TableRef } from '../core/spec.ts';
import type { JsonValue } from '../ports.ts';
import { serializeSql } from '../sql/syntax.ts';
import {
  bareSelect,
  isNode,
  type Node,
  nodeAt,
  nodesAt,
  printTree,
  readTree,
  statementsOf,
  textAt,
  textsAt,
  withSelect,
} from '../sql/tree.ts';
import { engineSql } from '../sql/user-sql.ts';
import type { Binding } from './conditions.ts';
import type { BoundModel } from './draft.ts';
import { sqlFault } from './engine-errors.ts';
import { manyRowsIn, volatileIn } from './functions.ts';
import { placeIn, showValue } from './notes.ts';
import { tablesIn } from './references.ts';
import { leftmostTable } from './rowwise.ts';
import { cellText } from './statements.ts';

/** What a SELECT may not have when its partitions are computed one by one. */
const WHOLE_TABLE: Readonly<Record<string, string>> = {
  LIMIT_MODIFIER: 'LIMIT',
  LIMIT_PERCENT_MODIFIER: 'LIMIT',
};

const OWN_PARTITION = "SQL whose rows depend on their own partition alone, or refresh 'full'";
const FROM_DRIVER = 'an expression over the columns of the first table alone';

/**
 * How a gold model with `refresh: 'touched'` finds the partitions to compute again. Notes what would let a row depend on
 * another partition, as far as the parse tree tells; `undefined` then. What a UDF or an inexact function does is the
 * user's promise.
 */
export async function bindTouched(binding: Binding, model: BoundModel): Promise<GoldRefresh | undefined> {
  const { parsed } = model;
  const place = placeIn(parsed.draft.place, 'refresh');
  const fault = treeFault(binding, parsed.tree);
  if (fault !== undefined) {
    binding.notes.add(place, `'touched' with ${fault}`, OWN_PARTITION);
    return undefined;
  }
  const exact = readTree(cellText(await binding.session.rows(serializeSql(parsed.sql))));
  const columns = [...new Set(parsed.draft.partitionBy.map(({ field }) => field.column))];
  const items = columns.map((column) => partitionItem(exact, column));
  const odd = columns.find((_, index) => !isPlain(binding, items[index]));
  const driver = leftmostTable(exact);
  if (odd !== undefined || driver === undefined) {
    binding.notes.add(place, `'touched' with the partition column ${showValue(odd)}`, FROM_DRIVER);
    return undefined;
  }
  try {
    const sql = cellText(await binding.session.rows(printTree(selectDistinct(exact, driver, items.filter(isNode)))));
    await binding.session.describe({ name: 'touched', text: engineSql(sql) });
    return { kind: 'touched', driver: refOf(driver), sql };
  } catch (error) {
    const { got } = sqlFault(error, 'touched', '');
    binding.notes.add(place, `'touched' with partition columns of another table: ${got}`, FROM_DRIVER);
    return undefined;
  }
}

function refOf(table: Node): TableRef {
  const layer = textAt(table, 'schema_name').toLowerCase() === 'gold' ? 'gold' : 'silver';
  const pipeline = textAt(table, 'catalog_name').toLowerCase();
  return { ...(pipeline === '' ? {} : { pipeline }), layer, name: textAt(table, 'table_name').toLowerCase() };
}

function treeFault({ functions }: Binding, tree: JsonValue): string | undefined {
  const [select] = statementsOf(tree);
  if (select === undefined || select['type'] !== 'SELECT_NODE') return 'a set operation at the top level';
  const modifiers = nodesAt(select, 'modifiers').map((modifier) =>
    nodesAt(modifier, 'distinct_on_targets').length > 0 ? 'DISTINCT ON' : WHOLE_TABLE[textAt(modifier, 'type')],
  );
  const many = manyRowsIn(select['select_list'], functions).map(({ called }) => called);
  const grouped =
    nodesAt(select, 'group_expressions').length > 0 || select['aggregate_handling'] === 'FORCE_AGGREGATES';
  const sets = Array.isArray(select['group_sets']) ? select['group_sets'].length : 0;
  return (
    tablesFault(tree, select) ??
    modifiers.find((modifier) => modifier !== undefined) ??
    many.find((called) => called.startsWith('the window')) ??
    (nodeAt(select, 'qualify') === undefined ? undefined : 'QUALIFY') ??
    (sets > 1 ? 'several grouping sets' : undefined) ??
    (grouped ? undefined : many.find((called) => called.startsWith('the aggregate'))) ??
    volatileIn(tree, functions, new Set()).find(() => true)?.called
  );
}

/** Every table stands in the FROM of the one SELECT, once, joined so that each row still comes from the first table. */
function tablesFault(tree: JsonValue, select: Node): string | undefined {
  const joined: Node[] = [];
  let from = nodeAt(select, 'from_table');
  for (; from?.['type'] === 'JOIN'; from = nodeAt(from, 'left')) {
    if (!['INNER', 'LEFT'].includes(textAt(from, 'join_type'))) return `a ${textAt(from, 'join_type')} JOIN`;
    if (textAt(from, 'ref_type') === 'POSITIONAL') return 'a POSITIONAL JOIN';
    joined.push(nodeAt(from, 'right') ?? {});
  }
  joined.push(from ?? {});
  if (joined.some((table) => table['type'] !== 'BASE_TABLE' || textAt(table, 'schema_name') === ''))
    return 'something other than tables in FROM';
  if (joined.some((table) => isNode(table['sample']))) return 'TABLESAMPLE';
  const named = tablesIn(tree).map((table) => `${table.catalog}.${table.schema}.${table.table}`.toLowerCase());
  if (named.length > joined.length) return 'a table outside its FROM';
  return new Set(named).size < named.length ? 'a table that is joined to itself' : undefined;
}

/** The expression in the select list that a partition column comes from; a star stands for the column itself. */
function partitionItem(tree: JsonValue, column: string): Node | undefined {
  const [select] = statementsOf(tree);
  const items = nodesAt(select ?? {}, 'select_list');
  const found = items.find((item) => nameOf(item).toLowerCase() === column.toLowerCase());
  if (found !== undefined) return { ...found, alias: column };
  const stars = items.filter((item) => item['class'] === 'STAR');
  const changed = stars.some((star) => nodesAt(star, 'replace_list').length + nodesAt(star, 'rename_list').length > 0);
  if (stars.length === 0 || changed) return undefined;
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: column, query_location: 0, column_names: [column] };
}

function nameOf(item: Node): string {
  if (textAt(item, 'alias') !== '') return textAt(item, 'alias');
  return item['class'] === 'COLUMN_REF' ? (textsAt(item, 'column_names').at(-1) ?? '') : '';
}

function isPlain({ functions }: Binding, item: Node | undefined): boolean {
  return item !== undefined && manyRowsIn(item, functions).length === 0;
}

function selectDistinct(tree: JsonValue, driver: Node, items: readonly Node[]): JsonValue {
  const [select] = statementsOf(tree);
  const node = {
    ...bareSelect(select),
    select_list: items,
    from_table: driver,
    modifiers: [{ type: 'DISTINCT_MODIFIER', distinct_on_targets: [] }],
  };
  return withSelect(isNode(tree) ? tree : {}, node);
}
