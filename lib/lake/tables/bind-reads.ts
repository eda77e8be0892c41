import { isKeyed, logColumns, logTable } from '../../core/keyed.ts';
import { type GoldModel, type ModelSpec, modelId, type PipelineSpec, type TableRef } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import type { Session } from '../../ports.ts';
import { createTableAt } from '../../sql/bind.ts';
import { columnsOfRef, createPlaces, findModel } from './table-state.ts';

/** Makes empty tables of what a gold model reads, for SQL to be bound against; `also`, by id, with more columns. */
export async function bindReads(
  session: Session,
  spec: PipelineSpec,
  model: Pick<ModelSpec, 'reads'> & Partial<Pick<GoldModel, 'readsLogs'>>,
  also: Readonly<Record<string, readonly Column[]>>,
): Promise<void> {
  await createPlaces(session, model.reads);
  for (const ref of model.reads) {
    await session.run(createTableAt(placeOf(ref), [...columnsOfRef(spec, ref), ...(also[modelId(ref)] ?? [])]));
  }
  for (const ref of model.readsLogs ?? []) {
    const logged = findModel(spec, modelId(ref));
    if (!isKeyed(logged)) continue;
    const { layer, name } = logTable({ pipeline: spec.name, layer: ref.layer, name: ref.name });
    await session.run(createTableAt([layer, name], logColumns(logged.mode, logged.columns)));
  }
}

/** All parts of the name by which SQL finds a table. */
export function placeOf({ pipeline, layer, name }: TableRef): readonly string[] {
  return pipeline === undefined ? [layer, name] : [pipeline, layer, name];
}
