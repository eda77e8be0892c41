import { type Node, nodeAt, nodesAt, textAt, textsAt } from '../tree.ts';
import { ctesOf } from './nodes.ts';

/** A table as SQL names it, in lower case; parts that it leaves out are ''. */
export type TableName = { readonly catalog: string; readonly schema: string; readonly table: string };

/** The names of a table's columns, or undefined where it is not known. */
export type ColumnsOfTable = (name: TableName) => readonly string[] | undefined;

/** Something that stands in a FROM, by the name that its columns are found under; `columns`, in lower case, undefined where not known. */
export type Occurrence = {
  readonly alias: string;
  readonly columns: ReadonlySet<string> | undefined;
  readonly node: Node;
};

/** What a query sees of names beside its own FROM. */
export type Names = {
  readonly columnsOf: ColumnsOfTable;
  /** By name: the queries of WITH. */
  readonly ctes: ReadonlyMap<string, Node>;
};

export function withCtes(names: Names, select: Node): Names {
  return { ...names, ctes: new Map([...names.ctes, ...ctesOf(select)]) };
}

export function tableNameOf(node: Node): TableName {
  return {
    catalog: textAt(node, 'catalog_name').toLowerCase(),
    schema: textAt(node, 'schema_name').toLowerCase(),
    table: textAt(node, 'table_name').toLowerCase(),
  };
}

/** The query that a table of a FROM stands for, where it is no table of the lake. */
export function queryOf(node: Node, { ctes }: Pick<Names, 'ctes'>): Node | undefined {
  if (node['type'] === 'SUBQUERY') return nodeAt(nodeAt(node, 'subquery') ?? {}, 'node');
  const { schema, table } = tableNameOf(node);
  return node['type'] === 'BASE_TABLE' && schema === '' ? ctes.get(table) : undefined;
}

/** What stands in a FROM, from left to right. */
export function occurrencesIn(from: Node | undefined, names: Names): readonly Occurrence[] {
  if (from === undefined || from['type'] === 'EMPTY') return [];
  if (from['type'] === 'JOIN')
    return [...occurrencesIn(nodeAt(from, 'left'), names), ...occurrencesIn(nodeAt(from, 'right'), names)];
  const alias = (textAt(from, 'alias') || textAt(from, 'table_name')).toLowerCase();
  return [{ alias, columns: columnsIn(from, names), node: from }];
}

function columnsIn(node: Node, names: Names): ReadonlySet<string> | undefined {
  if (textsAt(node, 'column_name_alias').length > 0) return undefined;
  const query = queryOf(node, names);
  const found = query === undefined ? tableColumns(node, names) : outputNames(query);
  return found && new Set(found.map((name) => name.toLowerCase()));
}

function tableColumns(node: Node, { columnsOf }: Names): readonly string[] | undefined {
  return node['type'] === 'BASE_TABLE' ? columnsOf(tableNameOf(node)) : undefined;
}

/** The names of the columns that a SELECT gives, or undefined where its text does not say. */
export function outputNames(select: Node): readonly string[] | undefined {
  if (select['type'] !== 'SELECT_NODE') return undefined;
  const names = nodesAt(select, 'select_list').map((item) => outputName(item));
  return names.includes('') ? undefined : names;
}

export function outputName(item: Node): string {
  if (textAt(item, 'alias') !== '') return textAt(item, 'alias');
  return item['class'] === 'COLUMN_REF' ? (textsAt(item, 'column_names').at(-1) ?? '') : '';
}

/** Where a column comes from: the place of its table in the FROM, and its name in lower case. */
export type ColumnPlace = { readonly at: number; readonly column: string };

/** Undefined where no table has it, several have, or it is not known which columns they have. */
export function placeOfColumn(scope: readonly Occurrence[], given: readonly string[]): ColumnPlace | undefined {
  const names = given.map((name) => name.toLowerCase());
  const column = names.at(-1) ?? '';
  const qualifier = names.length > 1 ? names.at(-2) : undefined;
  const found = scope.flatMap(({ alias, columns }, at) => {
    if (qualifier !== undefined) return alias === qualifier && columns?.has(column) !== false ? [at] : [];
    return columns === undefined || columns.has(column) ? [at] : [];
  });
  const [at, ...more] = found;
  return at === undefined || more.length > 0 ? undefined : { at, column };
}

/** Whether an unqualified name may be that of a column of the FROM. */
export function mayBeColumn(scope: readonly Occurrence[], name: string): boolean {
  return scope.some(({ columns }) => columns === undefined || columns.has(name.toLowerCase()));
}
