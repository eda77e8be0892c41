import type { ContractColumn } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { type JsonGroup, renderJsonKeys, renderStrangeKeys } from './raw-rows.ts';
import { scanParquet } from './table-functions.ts';

/** For `describe`: the columns of a Parquet file by its footer. */
export function describeParquet(path: string): Statement {
  return { name: 'inspect_parquet', text: sql`SELECT * FROM ${scanParquet([path])}` };
}

/** `name`: the keys of all objects in a JSON file, each once, in their order. */
export function listJsonKeys(group: JsonGroup): Statement {
  return { name: 'json_keys', text: sql`${renderJsonKeys(group)}\nORDER BY name` };
}

/** `name`: the keys inside lists and structs of JSON files that the contract does not name; undefined where it has none. */
export function listStrangeKeys(columns: readonly ContractColumn[], group: JsonGroup): Statement | undefined {
  const text = renderStrangeKeys(columns, group);
  return text === undefined ? undefined : { name: 'strange_keys', text: sql`${text}\nORDER BY name` };
}
