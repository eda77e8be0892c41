import { logTable } from '../core/keyed.ts';
import { type ModelSpec, modelId, type OtherTable } from '../core/spec.ts';
import type { JsonValue } from '../ports.ts';
import type { SourceDraft } from './draft.ts';
import { type Origins, type OriginsOf, originsOf } from './origins.ts';
import type { NamedTable } from './references.ts';

/** The personal columns of a table that SQL names, in lower case. */
export type PersonalOf = (table: NamedTable) => ReadonlySet<string>;

const PERSONAL: Origins = new Set(['personal']);

/**
 * Which of the columns of a query hold what is personal in the tables that it reads: copies, and whatever an expression
 * makes of them, but for counts. Where names leave it open, a column is one of them.
 */
export function personalColumns(tree: JsonValue, columns: readonly string[], tables: PersonalOf): readonly string[] {
  const named: OriginsOf = (table) => new Map([...tables(table)].map((name) => [name, PERSONAL]));
  const origins = originsOf(tree, columns, named, { counts: false, aggregates: () => true });
  return columns.filter((_, at) => (origins.columns[at]?.size ?? 0) > 0);
}

/** The tables that a model may name: batches, those of models before it and their logs, and those of other pipelines. */
export function personalTables(
  sources: ReadonlyMap<string, SourceDraft>,
  specs: ReadonlyMap<string, ModelSpec>,
  others: readonly OtherTable[],
): PersonalOf {
  const known = new Map<string, ReadonlySet<string>>();
  const add = (name: string, columns: readonly string[] = []): void =>
    void known.set(name.toLowerCase(), new Set(columns.map((column) => column.toLowerCase())));
  for (const { spec } of sources.values()) {
    const personal = spec.columns.filter((column) => column.personal === true);
    add(
      `batch.${spec.name}`,
      personal.map(({ name }) => name),
    );
  }
  for (const [id, { layer, name, personal }] of specs) {
    add(id, personal);
    add(modelId({ layer, name: logTable({ pipeline: '', layer, name }).name }), personal);
  }
  for (const other of others) add(modelId(other), other.personal);
  return ({ catalog, schema, table }) => {
    const ref = [catalog, schema, table].filter((part) => part !== '').join('.');
    return known.get(ref) ?? known.get(`${schema}.${table}`) ?? new Set();
  };
}
