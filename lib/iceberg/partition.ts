import { InvalidInput, UnreadableTable } from '../core/errors.ts';
import type { PartitionField } from '../core/spec.ts';
import { fieldByName, typeOfField } from './schema.ts';
import { parsePartitionText } from './text.ts';
import { acceptsType, type IcebergTransform, parseTransform, renderTransform, resultType } from './transforms.ts';
import type {
  IcebergType,
  IcebergValue,
  PartitionSpec,
  PartitionSpecField,
  Schema,
  StructType,
  TableMetadata,
} from './types.ts';

/** Partition specs. Field ids start at 1000. Source: https://iceberg.apache.org/spec/#partitioning. */
export const FIRST_PARTITION_ID = 1000;

/**
 * The spec for declared partition fields over a schema's top-level columns; ids continue after `lastPartitionId`.
 * Throws InvalidInput for an unknown column, a type that the transform does not take, or a field declared twice.
 */
export function partitionSpecOf(
  fields: readonly PartitionField[],
  schema: StructType,
  lastPartitionId = FIRST_PARTITION_ID - 1,
  specId = 0,
): { spec: PartitionSpec; lastPartitionId: number } {
  const taken = new Set(schema.fields.map((field) => field.name.toLowerCase()));
  const built = fields.map((field, at) => specField(field, schema, lastPartitionId + 1 + at, taken));
  const keys = built.map((field) => `${field['source-id']} ${field.transform}`);
  const twice = keys.findIndex((key, at) => keys.indexOf(key) !== at);
  if (twice >= 0) throw new InvalidInput(`partitionBy: got ${built[twice]?.name} twice; expected distinct fields`);
  return { spec: { 'spec-id': specId, fields: built }, lastPartitionId: lastPartitionId + built.length };
}

function specField(field: PartitionField, schema: StructType, id: number, taken: Set<string>): PartitionSpecField {
  const source = fieldByName(schema, field.column);
  const transform = renderTransform(field.transform);
  if (source === undefined || !acceptsType(field.transform, source.type)) {
    const got = source === undefined ? 'a column that is not there' : JSON.stringify(source.type);
    throw new InvalidInput(
      `partitionBy ${transform}(${field.column}): got ${got}; expected a column that ${transform} takes`,
    );
  }
  const name =
    field.transform.kind === 'identity' ? source.name : freeName(`${source.name}_${suffix(field.transform)}`, taken);
  taken.add(name.toLowerCase());
  return { 'source-id': source.id, 'field-id': id, name, transform };
}

const suffix = (transform: IcebergTransform): string => (transform.kind === 'truncate' ? 'trunc' : transform.kind);

/** A partition field may not bear the name of a column or of another field. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name.toLowerCase()); count += 1) name = `${wanted}_${count}`;
  return name;
}

export function specById(metadata: TableMetadata, id: number): PartitionSpec {
  const spec = metadata['partition-specs'].find((one) => one['spec-id'] === id);
  if (spec === undefined) throw new UnreadableTable(`table metadata is damaged: no partition spec with id ${id}`);
  return spec;
}

export function currentSpec(metadata: TableMetadata): PartitionSpec {
  return specById(metadata, metadata['default-spec-id']);
}

/** A spec's field with its transform and types resolved. */
export type ResolvedField = {
  readonly id: number;
  readonly name: string;
  readonly sourceId: number;
  readonly transform: IcebergTransform;
  readonly source: IcebergType;
  readonly type: IcebergType;
};

/**
 * Resolves a spec against the first of the schemas that has each source column (an old spec may use a column that
 * was dropped since). Throws UnreadableTable when none has it.
 */
export function resolveSpec(spec: PartitionSpec, ...schemas: readonly StructType[]): readonly ResolvedField[] {
  return spec.fields.map((field) => {
    const sourceId = field['source-id'];
    const transform = parseTransform(field.transform);
    const source = schemas.map((schema) => typeOfField(schema, sourceId)).find((type) => type !== undefined);
    if (transform === undefined || source === undefined) {
      throw new UnreadableTable(
        `partition field ${field.name}: cannot resolve ${field.transform} of column ${sourceId}`,
      );
    }
    return {
      id: field['field-id'],
      name: field.name,
      sourceId,
      transform,
      source,
      type: resultType(transform, source),
    };
  });
}

/** The struct of a spec's partition tuples. */
export function partitionType(spec: PartitionSpec, schema: Schema): StructType {
  const fields = resolveSpec(spec, schema).map(({ id, name, type }) => ({ id, name, required: false, type }));
  return { type: 'struct', fields };
}

/** A tuple from the texts of a file's partition values, in the spec's order. Throws InvalidInput for a bad text. */
export function partitionTuple(
  spec: PartitionSpec,
  schema: StructType,
  texts: readonly (string | null)[],
): readonly IcebergValue[] {
  const fields = resolveSpec(spec, schema);
  if (texts.length !== fields.length) {
    throw new InvalidInput(`partition values: got ${texts.length}; expected ${fields.length}, one for each spec field`);
  }
  return fields.map((field, at) => parsePartitionText(field.transform, field.source, texts[at] ?? null));
}
