import type { FieldId } from '../../core/field-ids.ts';
import type { IcebergType, NestedField, StructType } from '../../iceberg/types.ts';

/** Field ids of a schema in the shape that COPY takes. */
export function fieldIdsOf(schema: StructType): readonly FieldId[] {
  return schema.fields.map(fieldIdOf);
}

function fieldIdOf(field: NestedField): FieldId {
  return { name: field.name, id: field.id, children: childrenOf(field.type) };
}

function childrenOf(type: IcebergType): readonly FieldId[] {
  if (typeof type === 'string') return [];
  if (type.type === 'struct') return type.fields.map(fieldIdOf);
  return [{ name: 'element', id: type['element-id'], children: childrenOf(type.element) }];
}
