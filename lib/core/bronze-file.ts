import type { Column } from './types.ts';

/**
 * Data files of silver tables that are not keyed have a column beside those of the table: the key of the bronze object
 * that a row comes from. It is in no schema, so that only who asks for its id sees it; column names beginning with `__`
 * are Strata's own. The log of a keyed table has the file as a column of its own.
 */
export const BRONZE_FILE: Column = { name: '__bronze_file', type: { kind: 'string' } };

/**
 * No table gets so far with its ids, and those that Iceberg reserves begin at 2147483447.
 * Source: https://iceberg.apache.org/spec/#reserved-field-ids.
 */
export const BRONZE_FILE_ID = 2_147_000_000;
