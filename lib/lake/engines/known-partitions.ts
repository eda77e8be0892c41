import type { ColumnOrigins } from '../../core/column-origins.ts';
import type { PartitionText } from '../../core/run.ts';
import { type GoldModel, modelId, type PartitionField } from '../../core/spec.ts';
import { currentSpec, resolveSpec } from '../../iceberg/partition.ts';
import { renderScalarText } from '../../iceberg/partition-path.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { renderTransform } from '../../iceberg/transforms.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { planFiles } from '../../table/read.ts';

type States = ReadonlyMap<string, TableMetadata | undefined>;

/**
 * Partitions into which the rows of a gold model may go, before anyone has computed them: those that its table has, and those of a
 * table that it reads and that is partitioned by the same, of columns that it has from there. There may be others.
 */
export async function knownPartitions(
  store: ObjectStore,
  model: GoldModel,
  states: States,
): Promise<readonly PartitionText[]> {
  if (model.partitionBy.length === 0) return [];
  const own = partitionsOf(store, states.get(model.id), model.partitionBy);
  const read = model.reads.map((ref) => {
    const fields = fieldsIn(model, modelId(ref));
    return fields === undefined ? [] : partitionsOf(store, states.get(modelId(ref)), fields);
  });
  const all = (await Promise.all([own, ...read])).flat();
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).entries()]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, partition]) => partition);
}

/** What the table is partitioned by, by the columns of a table that it reads; undefined where one comes from elsewhere too. */
function fieldsIn(model: GoldModel, table: string): readonly PartitionField[] | undefined {
  const origins = originsOf(model);
  const fields = model.partitionBy.flatMap(({ column, transform }) => {
    const [ref, ...others] = origins?.columns[column] ?? [];
    return ref === undefined || others.length > 0 || ref[0] !== table ? [] : [{ column: ref[1], transform }];
  });
  return fields.length === model.partitionBy.length ? fields : undefined;
}

/** Nobody reads the words of an engine: what is known of a text is what is known of another of the model. */
function originsOf({ origins, implementations }: GoldModel): ColumnOrigins | undefined {
  return origins ?? implementations?.texts.find((text) => text.origins !== undefined)?.origins;
}

/** The values of some fields that files of a table have; none where it is partitioned otherwise. */
async function partitionsOf(
  store: ObjectStore,
  metadata: TableMetadata | undefined,
  fields: readonly PartitionField[],
): Promise<readonly PartitionText[]> {
  if (metadata === undefined) return [];
  const [schema, spec] = [currentSchema(metadata), currentSpec(metadata)];
  const resolved = resolveSpec(spec, schema);
  const places = fields.map(({ column, transform }) => {
    const id = schema.fields.find(({ name }) => name === column)?.id;
    return resolved.findIndex(
      (field) => field.sourceId === id && renderTransform(field.transform) === renderTransform(transform),
    );
  });
  if (places.includes(-1)) return [];
  const files = await planFiles(store, metadata);
  return files.flatMap(({ specId, partition }) => {
    if (specId !== spec['spec-id']) return [];
    return [
      places.map((at) => {
        const [value, type] = [partition[at] ?? null, resolved[at]?.type];
        return value === null || type === undefined ? null : renderScalarText(type, value);
      }),
    ];
  });
}
