import type { ExchangedTable, Stop } from '../../core/ladder.ts';
import { modelId, type TableRef } from '../../core/spec.ts';
import { type Column, renderColumnType } from '../../core/types.ts';
import { findExchanges, namedColumns } from '../../sql/ladder/exchange.ts';
import type { KeyColumn } from '../../sql/ladder/key-columns.ts';
import type { ReadModel } from './find-split.ts';

/** Kinds of columns of which equal values have one hash. */
const HASHED: ReadonlySet<Column['type']['kind']> = new Set([
  'boolean',
  'int',
  'bigint',
  'decimal',
  'date',
  'timestamp',
  'timestamptz',
  'string',
]);

/**
 * Ways to keep the rows of a model's tables apart, each with the same answer, or what of its SQL stops that. `columnsOf`: those that
 * the SQL sees, of the types that the table has, which may be wider than the pipeline says: hashes are of types.
 */
export function exchangesOf(
  { model, tree, names, aggregates, idOf }: ReadModel,
  columnsOf: (ref: TableRef) => readonly Column[],
): readonly (readonly ExchangedTable[])[] | Stop {
  // Units of the merge have no right to files of other pipelines.
  if (model.reads.some(({ pipeline }) => pipeline !== undefined)) return { stops: 'a table of another pipeline' };
  const found = findExchanges(tree, names, aggregates);
  if ('stops' in found) return found;
  const columns = new Map(model.reads.map((ref) => [modelId(ref), columnsOf(ref)]));
  const exchanges = found.flatMap((keys) => {
    const tables = keys.flatMap((key) => exchangedTable(key, idOf(key.table), columns, tree));
    const types = new Set(tables.map(({ type }) => type));
    return tables.length === keys.length && types.size === 1 ? [tables.map(({ type: _type, ...table }) => table)] : [];
  });
  return exchanges.length > 0 ? exchanges : { stops: 'keys of types whose equal values do not have one hash' };
}

function exchangedTable(
  { column }: KeyColumn,
  id: string | undefined,
  columns: ReadonlyMap<string, readonly Column[]>,
  tree: ReadModel['tree'],
): readonly (ExchangedTable & { readonly type: string })[] {
  const own = columns.get(id ?? '') ?? [];
  const key = own.find(({ name }) => name.toLowerCase() === column);
  if (id === undefined || key === undefined || !HASHED.has(key.type.kind)) return [];
  const named = namedColumns(
    tree,
    own.map(({ name }) => name),
  );
  return [{ table: id, key: key.name, columns: named, type: renderColumnType(key.type) }];
}
