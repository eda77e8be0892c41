import type { Sql } from '../../core/sql-text.ts';
import { sql } from '../fragment.ts';
import { quoteName, quotePath, quoteText } from '../quote.ts';

/** Where tables are shown to a Trino: a catalog of its Iceberg connector, and a schema there. */
export type TrinoPlace = { readonly catalog: string; readonly schema: string };

export function createSchema({ catalog, schema }: TrinoPlace): Sql {
  return sql`CREATE SCHEMA IF NOT EXISTS ${quotePath(catalog, schema)}`;
}

/** Makes a table known by its metadata file, which lies in `<location>/metadata`. */
export function registerTable({ catalog, schema }: TrinoPlace, name: string, location: string, file: string): Sql {
  return sql`CALL ${quoteName(catalog)}.system.register_table(schema_name => ${quoteText(schema)}, table_name => ${quoteText(name)}, table_location => ${quoteText(location)}, metadata_file_name => ${quoteText(file)})`;
}

/** Forgets a table; its files stay. */
export function unregisterTable({ catalog, schema }: TrinoPlace, name: string): Sql {
  return sql`CALL ${quoteName(catalog)}.system.unregister_table(schema_name => ${quoteText(schema)}, table_name => ${quoteText(name)})`;
}

export function namesBeginning({ catalog, schema }: TrinoPlace, prefix: string): Sql {
  return sql`SELECT table_name FROM ${quoteName(catalog)}.information_schema.tables WHERE table_schema = ${quoteText(schema)} AND starts_with(table_name, ${quoteText(prefix)}) ORDER BY 1`;
}

/** The metadata files that a table has had, the latest last: their names count up. */
export function metadataFiles({ catalog, schema }: TrinoPlace, name: string): Sql {
  return sql`SELECT file FROM ${quotePath(catalog, schema, `${name}$metadata_log_entries`)} ORDER BY timestamp, file`;
}

/** Statements that were begun under a token. */
export function begunUnder(token: string): Sql {
  return sql`SELECT query_id FROM system.runtime.queries WHERE source = ${quoteText(token)} ORDER BY created`;
}
