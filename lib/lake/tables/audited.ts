import type { ModelSpec } from '../../core/spec.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Borrowed, ObjectStore, Session } from '../../ports.ts';
import { createAudited } from '../../sql/audit.ts';
import { createSchemas } from '../../sql/scan.ts';
import { keepOrRelease } from '../resources.ts';
import { openTable, tableColumns } from './table-state.ts';

/** Makes a state of a model's table readable as `this`, by which expectations name it. Disposing gives the files back. */
export async function openAudited(
  store: ObjectStore,
  session: Session,
  model: ModelSpec,
  metadata: TableMetadata,
): Promise<Borrowed> {
  for (const statement of createSchemas([model.layer])) await session.run(statement);
  const name = { schema: model.layer, table: model.name };
  const opened = await openTable(store, session, name, metadata, tableColumns(model));
  return keepOrRelease(opened, () => session.run(createAudited(model.layer, model.name)));
}
