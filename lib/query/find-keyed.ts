import { InvalidInput } from '../core/errors.ts';
import { isKeyed, type KeyedModel, LOG_SUFFIX, logTable } from '../core/keyed.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { type FoundTable, findTable } from './find-table.ts';

export type FoundKeyedTable = FoundTable & {
  readonly spec: PipelineSpec;
  readonly model: KeyedModel;
  readonly log: TableMetadata;
};

/** What knows the pipelines, compiled. */
export type PipelineDeps = { readonly specs: (pipeline: string) => Promise<PipelineSpec> };

/**
 * A table of mode upsert or scd2 with its log, by full name. Throws InvalidInput for a table that is not there or not
 * keyed, naming those that are.
 */
export async function findKeyedTable(
  deps: Pick<QueryDeps, 'catalog'> & PipelineDeps,
  name: string,
): Promise<FoundKeyedTable> {
  const table = await findTable(deps.catalog, name);
  const spec = await deps.specs(table.id.pipeline);
  const model = spec.models.filter(isKeyed).find((one) => one.layer === table.id.layer && one.name === table.id.name);
  const log = model === undefined ? undefined : await loadTable(deps.catalog, logTable(table.id));
  if (model === undefined || log === undefined) throw notKeyed(table, spec);
  return { ...table, spec, model, log: log.metadata };
}

function notKeyed({ id }: FoundTable, spec: PipelineSpec): InvalidInput {
  const keyed = spec.models.filter(isKeyed).map((m) => fullName({ pipeline: spec.name, layer: m.layer, name: m.name }));
  const name = fullName(id);
  const own = keyed.find((one) => name === `${one}${LOG_SUFFIX}`);
  if (own !== undefined) return new InvalidInput(`${name} is the log of a keyed table: expected ${own} itself`);
  const expected = keyed.length === 0 ? `, and ${spec.name} has none` : `, such as ${keyed.join(', ')}`;
  return new InvalidInput(`${name} is not keyed: expected a table of mode upsert or scd2${expected}`);
}
