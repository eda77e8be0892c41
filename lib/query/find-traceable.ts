import { InvalidInput } from '../core/errors.ts';
import { LOG_SUFFIX } from '../core/keyed.ts';
import type { PipelineSpec, SilverModel } from '../core/spec.ts';
import { fullName, type TableId } from '../core/tables.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { StepDeps } from '../lake/deps.ts';
import { findTable } from './find-table.ts';
import { lineageOf } from './lineage.ts';

export type Traceable = {
  readonly id: TableId;
  readonly metadata: TableMetadata;
  readonly spec: PipelineSpec;
  readonly model: SilverModel;
};

/** A table whose rows come from landed files. Throws InvalidInput for others, naming those that they follow from. */
export async function findTraceable(deps: StepDeps, name: string): Promise<Traceable> {
  const { id, metadata } = await findTable(deps.catalog, name);
  const spec = await deps.specs(id.pipeline);
  const model = spec.models.find((one) => one.layer === id.layer && one.name === id.name);
  if (model?.layer === 'silver') return { id, metadata, spec, model };
  const silver = spec.models
    .filter((one) => one.layer === 'silver')
    .map((one) => fullName({ pipeline: spec.name, layer: one.layer, name: one.name }));
  if (model === undefined) {
    const own = silver.find((one) => fullName(id) === `${one}${LOG_SUFFIX}`);
    if (own !== undefined)
      throw new InvalidInput(`${fullName(id)} is the log of a keyed table: expected ${own} itself`);
    throw new InvalidInput(`${fullName(id)} is no table of a silver model; expected one of ${silver.join(', ')}`);
  }
  const above = (lineageOf(spec, model.id)?.upstream ?? []).filter((one) => silver.includes(one));
  throw new InvalidInput(
    `${fullName(id)} is computed from ${above.join(', ')}; what lands is traced in silver tables, such as: ` +
      `strata trace ${above[0] ?? silver[0] ?? '<table>'} --where ...`,
  );
}
