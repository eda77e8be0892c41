import type { ColumnRef } from '../../core/column-origins.ts';
import type { LineageNode, NodeColumn } from '../../core/page-facts.ts';
import { type ModelSpec, modelId, type PipelineSpec, type SourceSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { renderColumnType } from '../../core/types.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';
import { columnFacts } from '../catalog/model-facts.ts';
import { withoutLog } from '../lineage.ts';

/** What there is of a table: its metadata says it. */
export type Known = Pick<LineageNode, 'rows' | 'updated'> & { readonly personal: readonly string[] };

export const NO_TABLE: Known = { rows: null, updated: null, personal: [] };

const NOTHING = { reads: [], description: null, rows: null, updated: null, level: 0 };

/** Sources of a pipeline, tables of others that it reads, and its own after those that they are made from; `tables` by model. */
export function nodesOf(spec: PipelineSpec, tables: ReadonlyMap<string, Known>): readonly LineageNode[] {
  const hidden = hiddenIn(spec, tables);
  const models = spec.models.map((model) => tableNode(spec, model, tables.get(model.id) ?? NO_TABLE, hidden));
  const own = new Set(models.map(({ name }) => name));
  const others = new Set(models.flatMap(({ reads }) => reads).filter((name) => !own.has(name)));
  const sources = spec.sources.map((source) => sourceNode(spec, source, hidden));
  for (const { name } of sources) others.delete(name);
  const elsewhere = [...others].sort().map((name): LineageNode => {
    return { ...NOTHING, name, kind: 'elsewhere', columns: [] };
  });
  return [...sources, ...elsewhere, ...models];
}

/** Columns that are personal, each behind the name of its node. */
type Hidden = ReadonlySet<string>;

function hiddenIn(spec: PipelineSpec, tables: ReadonlyMap<string, Known>): Hidden {
  const columns = (node: string, names: readonly string[]): readonly string[] => names.map((name) => `${node}.${name}`);
  return new Set([
    ...spec.sources.flatMap((source) => {
      const personal = source.columns.filter((column) => column.personal === true);
      return columns(
        sourceName(spec, source.name),
        personal.map(({ name }) => name),
      );
    }),
    ...spec.models.flatMap((model) => {
      const personal = [...(model.personal ?? []), ...(tables.get(model.id) ?? NO_TABLE).personal];
      return columns(fullName(tableIdOf(spec, model)), personal);
    }),
    ...(spec.others ?? []).flatMap((other) => columns(fullName(other), other.personal ?? [])),
  ]);
}

function sourceNode(spec: PipelineSpec, source: SourceSpec, hidden: Hidden): LineageNode {
  const name = sourceName(spec, source.name);
  const columns = source.columns.map(({ name: column, type, description = null }): NodeColumn => {
    return { name: column, type: renderColumnType(type), description, from: [] };
  });
  return { ...NOTHING, name, kind: 'source', columns: columns.filter((one) => !hidden.has(`${name}.${one.name}`)) };
}

function tableNode(spec: PipelineSpec, model: ModelSpec, { rows, updated }: Known, hidden: Hidden): LineageNode {
  const name = fullName(tableIdOf(spec, model));
  const reads = model.reads.map((ref) => fullName(tableIdOf(spec, { ...ref, name: withoutLog(ref.name) })));
  const from = model.layer === 'silver' ? [sourceName(spec, model.from)] : [];
  const origins = new Map(Object.entries(model.origins?.columns ?? {}));
  const columns = columnFacts(model).map((column): NodeColumn => {
    const refs = (origins.get(column.name) ?? []).map((ref) => columnOf(spec, ref));
    return { ...column, from: [...new Set(refs)].filter((one) => !hidden.has(one)) };
  });
  return {
    name,
    kind: model.layer,
    level: 1 + spec.levels.findIndex((ids) => ids.includes(model.id)),
    reads: [...new Set([...from, ...reads])],
    description: model.description,
    rows,
    updated,
    columns: columns.filter((one) => !hidden.has(`${name}.${one.name}`)),
  };
}

const BATCH = 'batch.';

/** `batch.orders`, `amount` -> `shop.orders.amount`; `silver.orders`, `amount` -> `shop_silver.orders.amount`. */
function columnOf(spec: PipelineSpec, [table, column]: ColumnRef): string {
  if (table.startsWith(BATCH)) return `${sourceName(spec, table.slice(BATCH.length))}.${column}`;
  const ref = [...spec.models, ...(spec.others ?? [])].find((one) => modelId(one) === table);
  return `${ref === undefined ? table : fullName(tableIdOf(spec, ref))}.${column}`;
}

function sourceName({ name }: PipelineSpec, source: string): string {
  return `${name}.${source}`;
}
