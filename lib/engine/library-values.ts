import { DuckDBStructValue, DuckDBStructVector, type DuckDBValue } from '@duckdb/node-api';
import dataAccessors from '@duckdb/node-api/lib/vectors/dataAccessors.js';

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Two places where @duckdb/node-api 1.5.5 changes a value on its way to JavaScript: its TextDecoder takes a leading
 * U+FEFF for a byte order mark and drops it, and it assigns a struct's fields to a plain object, where a field called
 * `__proto__` is lost. A partition value or a bound that lost a character names other rows than those of its file.
 */
export function keepValuesWhole(): void {
  (dataAccessors as { textDecoder: typeof DECODER }).textDecoder = DECODER;
  DuckDBStructVector.prototype.getItem = function structAt(this: DuckDBStructVector, at: number) {
    if (!this.isItemValid(at)) return null;
    const entries = this.type.entryNames.map((name, field): [string, DuckDBValue] => [
      name,
      this.getItemValue(at, field),
    ]);
    return new DuckDBStructValue(Object.fromEntries(entries));
  };
}
