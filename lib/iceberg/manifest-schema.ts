import type { MetaField, MetaMap, MetaStruct } from './avro-schema.ts';

/** The fields of manifests and manifest lists by id. Source: https://iceberg.apache.org/spec/#manifests. */

const field = (id: number, name: string, required: boolean, type: MetaField['type']): MetaField => ({
  id,
  name,
  required,
  type,
});

const byFieldId = (key: number, value: number, type: string): MetaMap => ({
  type: 'map',
  'key-id': key,
  key: 'int',
  'value-id': value,
  'value-required': true,
  value: type,
});

/** A manifest's row for a partition struct. */
export function manifestEntrySchema(partition: MetaStruct): MetaStruct {
  return {
    type: 'struct',
    fields: [
      field(0, 'status', true, 'int'),
      field(1, 'snapshot_id', false, 'long'),
      field(3, 'sequence_number', false, 'long'),
      field(4, 'file_sequence_number', false, 'long'),
      field(2, 'data_file', true, { type: 'struct', fields: dataFileFields(partition) }),
    ],
  };
}

function dataFileFields(partition: MetaStruct): readonly MetaField[] {
  return [
    field(134, 'content', true, 'int'),
    field(100, 'file_path', true, 'string'),
    field(101, 'file_format', true, 'string'),
    field(102, 'partition', true, partition),
    field(103, 'record_count', true, 'long'),
    field(104, 'file_size_in_bytes', true, 'long'),
    field(108, 'column_sizes', false, byFieldId(117, 118, 'long')),
    field(109, 'value_counts', false, byFieldId(119, 120, 'long')),
    field(110, 'null_value_counts', false, byFieldId(121, 122, 'long')),
    field(137, 'nan_value_counts', false, byFieldId(138, 139, 'long')),
    field(125, 'lower_bounds', false, byFieldId(126, 127, 'binary')),
    field(128, 'upper_bounds', false, byFieldId(129, 130, 'binary')),
    field(131, 'key_metadata', false, 'binary'),
    field(132, 'split_offsets', false, { type: 'list', 'element-id': 133, 'element-required': true, element: 'long' }),
    field(135, 'equality_ids', false, { type: 'list', 'element-id': 136, 'element-required': true, element: 'int' }),
    field(140, 'sort_order_id', false, 'int'),
  ];
}

const PARTITION_SUMMARY: MetaStruct = {
  type: 'struct',
  fields: [
    field(509, 'contains_null', true, 'boolean'),
    field(518, 'contains_nan', false, 'boolean'),
    field(510, 'lower_bound', false, 'binary'),
    field(511, 'upper_bound', false, 'binary'),
  ],
};

export const MANIFEST_LIST_SCHEMA: MetaStruct = {
  type: 'struct',
  fields: [
    field(500, 'manifest_path', true, 'string'),
    field(501, 'manifest_length', true, 'long'),
    field(502, 'partition_spec_id', true, 'int'),
    field(517, 'content', true, 'int'),
    field(515, 'sequence_number', true, 'long'),
    field(516, 'min_sequence_number', true, 'long'),
    field(503, 'added_snapshot_id', true, 'long'),
    field(504, 'added_files_count', true, 'int'),
    field(505, 'existing_files_count', true, 'int'),
    field(506, 'deleted_files_count', true, 'int'),
    field(512, 'added_rows_count', true, 'long'),
    field(513, 'existing_rows_count', true, 'long'),
    field(514, 'deleted_rows_count', true, 'long'),
    field(507, 'partitions', false, {
      type: 'list',
      'element-id': 508,
      'element-required': true,
      element: PARTITION_SUMMARY,
    }),
    field(519, 'key_metadata', false, 'binary'),
  ],
};

const NAMES = namesOf([...manifestEntrySchema({ type: 'struct', fields: [] }).fields, ...MANIFEST_LIST_SCHEMA.fields]);

/** The name by which we read a field, whatever its writer called it. A partition field is read as `p<id>`. */
export function canonicalName(fieldId: number, name: string): string {
  return NAMES.get(fieldId) ?? (fieldId >= 1000 ? partitionName(fieldId) : name);
}

export function partitionName(fieldId: number): string {
  return `p${fieldId}`;
}

function namesOf(fields: readonly MetaField[]): ReadonlyMap<number, string> {
  return new Map(
    fields.flatMap((one): readonly (readonly [number, string])[] => [[one.id, one.name], ...namesInside(one.type)]),
  );
}

function namesInside(type: MetaField['type']): readonly (readonly [number, string])[] {
  if (typeof type === 'string') return [];
  if (type.type === 'struct') return [...namesOf(type.fields)];
  if (type.type === 'list') return namesInside(type.element);
  return [
    [type['key-id'], 'key'],
    [type['value-id'], 'value'],
  ];
}
