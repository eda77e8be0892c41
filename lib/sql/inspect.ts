import type { Statement } from '../core/statement.ts';
import { readJsonObjects, readParquet } from './table-functions.ts';

/** For `describe`: the columns of a Parquet file by its footer. */
export function describeParquet(path: string): Statement {
  return { name: 'inspect_parquet', text: `SELECT * FROM ${readParquet([path])}` };
}

/** Parses the whole of a JSON array; one number, `elements`. */
export function countJsonArray(path: string): Statement {
  return { name: 'inspect_json', text: `SELECT count(*) AS elements FROM ${readJsonObjects([path], 'array')}` };
}

/** `name`: the keys of all objects in a JSON file, each once; lines that are no objects are passed over. */
export function listJsonKeys(path: string, layout: 'lines' | 'array'): Statement {
  return {
    name: 'json_keys',
    text: `SELECT DISTINCT unnest(json_keys(json)) AS name
FROM ${readJsonObjects([path], layout, layout === 'lines')}
WHERE json_type(json) = 'OBJECT'
ORDER BY name`,
  };
}
