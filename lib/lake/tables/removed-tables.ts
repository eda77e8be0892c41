import { modelId, type PipelineSpec } from '../../core/spec.ts';
import { fullName, type RemovedTable, type TableId } from '../../core/tables.ts';
import type { Catalog, ObjectStore } from '../../ports.ts';
import { loadTable } from '../../table/read.ts';
import { MODEL } from './table-properties.ts';
import { estimateSize } from './table-size.ts';
import { modelTables } from './table-state.ts';

/**
 * The tables that models of the pipeline have made which it no longer has, logs of keyed ones among them. Only names that
 * no model has are looked into. A table without the property of the model of its name was written or copied by others.
 */
export async function findRemoved(
  deps: { readonly store: ObjectStore; readonly catalog: Catalog },
  spec: PipelineSpec,
): Promise<readonly RemovedTable[]> {
  const made = new Set([...modelTables(spec).values()].map(fullName));
  const removed: RemovedTable[] = [];
  for (const layer of ['silver', 'gold'] as const) {
    const database = { pipeline: spec.name, layer };
    const known = (name: string): boolean => made.has(fullName({ ...database, name }));
    for (const id of await deps.catalog.list(database, known)) {
      const table = await removedTable(deps, id);
      if (table !== undefined) removed.push(table);
    }
  }
  return removed;
}

async function removedTable(
  { store, catalog }: { readonly store: ObjectStore; readonly catalog: Catalog },
  id: TableId,
): Promise<RemovedTable | undefined> {
  const metadata = (await loadTable(catalog, id))?.metadata;
  if (id.layer === 'ops' || metadata?.properties[MODEL] !== modelId({ layer: id.layer, name: id.name }))
    return undefined;
  const { rows, bytes } = await estimateSize({ store }, metadata);
  return { table: fullName(id), rows, bytes };
}
