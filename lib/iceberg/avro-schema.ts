import type { AvroSchema } from './avro.ts';
import { decimalOf } from './schema.ts';
import { bytesForPrecision } from './values.ts';

/**
 * Iceberg structs as Avro schemas. The files around a table hold one type that our tables don't: a map whose key is
 * a field id, which Avro can only write as an array of key-value records.
 * Source: https://iceberg.apache.org/spec/#avro (Appendix A).
 */
export type MetaType = string | MetaStruct | MetaList | MetaMap;
export type MetaStruct = { readonly type: 'struct'; readonly fields: readonly MetaField[] };
export type MetaList = {
  readonly type: 'list';
  readonly 'element-id': number;
  readonly 'element-required': boolean;
  readonly element: MetaType;
};
export type MetaMap = {
  readonly type: 'map';
  readonly 'key-id': number;
  readonly key: string;
  readonly 'value-id': number;
  readonly 'value-required': boolean;
  readonly value: string;
};
export type MetaField = {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: MetaType;
};

/** The Avro record of a struct. Nested records are named by field id, as Java names them: `r102`. */
export function avroRecord(name: string, struct: MetaStruct): AvroSchema {
  return { type: 'record', name, fields: struct.fields.map(avroField) };
}

function avroField(field: MetaField): AvroSchema {
  const type = avroType(field.type, field.id);
  const name = sanitizeName(field.name);
  return {
    name,
    ...(name === field.name ? {} : { 'iceberg-field-name': field.name }),
    type: field.required ? type : ['null', type],
    ...(field.required ? {} : { default: null }),
    'field-id': field.id,
  };
}

function avroType(type: MetaType, id: number): AvroSchema {
  if (typeof type === 'string') return avroPrimitive(type, id);
  switch (type.type) {
    case 'struct':
      return avroRecord(`r${id}`, type);
    case 'list':
      return { type: 'array', items: avroType(type.element, type['element-id']), 'element-id': type['element-id'] };
    case 'map':
      return avroMap(type);
  }
}

function avroMap(map: MetaMap): AvroSchema {
  const struct: MetaStruct = {
    type: 'struct',
    fields: [
      { id: map['key-id'], name: 'key', required: true, type: map.key },
      { id: map['value-id'], name: 'value', required: true, type: map.value },
    ],
  };
  return { type: 'array', logicalType: 'map', items: avroRecord(`k${map['key-id']}_v${map['value-id']}`, struct) };
}

function avroPrimitive(type: string, id: number): AvroSchema {
  const decimal = decimalOf(type);
  if (decimal !== undefined) {
    const size = bytesForPrecision(decimal.precision);
    return { type: 'fixed', name: `decimal_${id}`, size, logicalType: 'decimal', ...decimal };
  }
  switch (type) {
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'time':
      return { type: 'long', logicalType: 'time-micros' };
    case 'timestamp':
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': type === 'timestamptz' };
    case 'uuid':
      return { type: 'fixed', name: `uuid_${id}`, size: 16, logicalType: 'uuid' };
    case 'binary':
      return 'bytes';
    default:
      return type.startsWith('fixed') ? { type: 'fixed', name: `fixed_${id}`, size: Number(type.slice(6, -1)) } : type;
  }
}

/** An Avro name: letters, digits and `_`; a leading digit gets a `_`, everything else becomes `_x<hex>`, as in Java. */
export function sanitizeName(name: string): string {
  const units = Array.from({ length: name.length }, (_, at) => name.charAt(at));
  return units.map((unit, at) => sanitizeUnit(unit, at === 0)).join('');
}

function sanitizeUnit(unit: string, first: boolean): string {
  if (/[A-Za-z_]/.test(unit)) return unit;
  if (/[0-9]/.test(unit)) return first ? `_${unit}` : unit;
  return `_x${unit.charCodeAt(0).toString(16).toUpperCase()}`;
}
