import type { ColumnOrigins, ColumnRef } from '../core/column-origins.ts';
import { LOG_SUFFIX } from '../core/keyed.ts';
import { modelId } from '../core/spec.ts';
import type { Column } from '../core/types.ts';
import type { BoundModel, SourceDraft } from './draft.ts';
import { type FunctionLists, manyRowsIn } from './functions.ts';
import { type Origins, type OriginsOf, originsOf } from './origins.ts';

/** Between the name of a table and that of its column, which neither has. */
const BETWEEN = '\u0000';

/** Where the columns of a bound model come from; `bound` are the models before it. */
export function columnOriginsOf(
  { parsed, columns }: BoundModel,
  sources: ReadonlyMap<string, SourceDraft>,
  bound: ReadonlyMap<string, BoundModel>,
  functions: FunctionLists,
): ColumnOrigins {
  const names = columns.map(({ name }) => name);
  const found = originsOf(parsed.tree, names, readable(parsed, sources, bound), {
    counts: true,
    aggregates: (item) => manyRowsIn(item, functions).length > 0,
  });
  const columnsOf = names.map((name, at) => [name, refsOf(found.columns[at])] as const);
  return {
    columns: Object.fromEntries(columnsOf.filter(([, refs]) => refs.length > 0)),
    rows: refsOf(found.rows),
  };
}

/** The columns of the tables that a model reads. A log stands for its table. */
function readable(
  { draft, reads, others }: BoundModel['parsed'],
  sources: ReadonlyMap<string, SourceDraft>,
  bound: ReadonlyMap<string, BoundModel>,
): OriginsOf {
  const known = new Map<string, ReadonlyMap<string, Origins>>();
  const add = (name: string, table: string, columns: readonly Column[] = []): void =>
    void known.set(
      name.toLowerCase(),
      new Map(columns.map((column) => [column.name.toLowerCase(), new Set([`${table}${BETWEEN}${column.name}`])])),
    );
  const source = sources.get(draft.from ?? '')?.spec;
  if (source !== undefined) {
    const batch = `batch.${source.name}`;
    add(batch, batch, source.columns);
  }
  for (const ref of reads) {
    const id = modelId(ref);
    const columns = bound.get(id)?.tableColumns;
    add(id, id, columns);
    add(`${id}${LOG_SUFFIX}`, id, columns);
  }
  for (const other of others) {
    const id = modelId(other);
    add(id, id.endsWith(LOG_SUFFIX) ? id.slice(0, -LOG_SUFFIX.length) : id, other.columns);
  }
  return ({ catalog, schema, table }) => {
    const parts = [catalog, schema, table].filter((part) => part !== '');
    return known.get(parts.join('.')) ?? known.get(`${schema}.${table}`) ?? new Map();
  };
}

function refsOf(origins: Origins = new Set()): readonly ColumnRef[] {
  return [...origins].sort().map((origin): ColumnRef => {
    const [table = '', column = ''] = origin.split(BETWEEN);
    return [table, column];
  });
}
