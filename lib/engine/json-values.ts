import {
  DuckDBStructType,
  DuckDBStructValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValueConverter,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api';
import type { JsonValue } from '../ports.ts';

const WHOLE_NUMBERS: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
]);

/** DuckDB values as JSON without loss: 64- and 128-bit integers are numbers up to 2^53 and text beyond; decimals are text. */
export const toJson: DuckDBValueConverter<JsonValue> = (value, type, converter) => {
  if (WHOLE_NUMBERS.has(type.typeId) && typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof DuckDBStructValue && type instanceof DuckDBStructType) {
    // The library assigns the fields, which loses one called `__proto__`.
    const fields = Object.entries(value.entries);
    return Object.fromEntries(fields.map(([name, field], at) => [name, toJson(field, typeAt(type, at), converter)]));
  }
  // The library's own Json type is a mutable twin of JsonValue.
  return JsonDuckDBValueConverter(
    value,
    type,
    converter as Parameters<typeof JsonDuckDBValueConverter>[2],
  ) as JsonValue;
};

function typeAt(type: DuckDBStructType, at: number): DuckDBType {
  const found = type.entryTypes[at];
  if (found === undefined) throw new RangeError(`a struct of ${type.entryCount} fields has no field ${at}`);
  return found;
}
