import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PIPELINES } from '../folders.ts';
import { GOLD } from '../retail/tables.ts';

/** What `.peers/dbt` has to have: `python3 -m venv .peers/dbt && .peers/dbt/bin/pip install -r bench/peers/dbt.txt`. */
export const DBT_MODULES = 'dbt.adapters.duckdb';

const PROJECT = `name: retail
version: '1.0'
profile: retail
model-paths: [models]
macro-paths: [macros]
flags: { send_anonymous_usage_stats: false }
models: { retail: { +materialized: table, silver: { +schema: silver }, gold: { +schema: gold } } }
`;

/** By itself dbt puts the name of the target's schema in front. */
const SCHEMA = '{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}\n';

const COLUMNS = {
  customers: `'customer_id': 'BIGINT', 'customer_name': 'VARCHAR', 'age': 'INTEGER', 'gender': 'VARCHAR',
    'country': 'VARCHAR', 'region': 'VARCHAR', 'updated_at': 'TIMESTAMP'`,
  products: `'product_id': 'BIGINT', 'category': 'VARCHAR', 'subcategory': 'VARCHAR', 'product_name': 'VARCHAR',
    'base_price': 'DECIMAL(10,2)', 'updated_at': 'TIMESTAMP'`,
  transactions: `'txn_id': 'BIGINT', 'txn_ts': 'TIMESTAMP', 'customer_id': 'BIGINT', 'product_id': 'BIGINT',
    'quantity': 'INTEGER', 'channel': 'VARCHAR'`,
} as const;

/**
 * Writes a dbt project that makes the retail tables in a DuckDB file, out of the SQL of the pipeline: dimensions and gold as
 * tables, sales incremental by `txn_id`. Its variables: `input`, the folder of the sources, and `fresh`, that of the
 * transactions that are new, which nothing else would tell it.
 */
export async function writeDbtProject(folder: string, database: string, threads: number): Promise<void> {
  const sqlOf = (model: string): Promise<string> => readFile(join(PIPELINES, 'retail', `${model}.sql`), 'utf8');
  const files: Record<string, string> = {
    'dbt_project.yml': PROJECT,
    'profiles.yml': `retail:\n  target: bench\n  outputs:\n    bench: { type: duckdb, path: ${database}, threads: ${threads} }\n`,
    'macros/schema.sql': SCHEMA,
    'models/silver/customers.sql': versions('customers', 'customer_id'),
    'models/silver/products.sql': versions('products', 'product_id'),
    'models/silver/sales.sql': salesOf(await sqlOf('silver/sales')),
  };
  for (const name of GOLD) files[`models/gold/${name}.sql`] = withRefs(await sqlOf(`gold/${name}`));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** A source of the retail sample, typed. */
export function csv(pattern: string, source: keyof typeof COLUMNS): string {
  return `read_csv('${pattern}', header = true, columns = {${COLUMNS[source]}})`;
}

/** All versions of a dimension. */
export function versions(source: 'customers' | 'products', key: string, folder = '{{ var("input") }}'): string {
  return `SELECT *, updated_at AS valid_from,
  lead(updated_at) OVER (PARTITION BY ${key} ORDER BY updated_at) AS valid_to, valid_to IS NULL AS is_current
FROM ${csv(`${folder}/${source}/*.csv`, source)}
`;
}

function salesOf(sql: string): string {
  const query = withRefs(sql.slice(sql.indexOf('SELECT'))).replace('batch.transactions', 'fresh');
  return `{{ config(materialized = 'incremental', unique_key = 'txn_id', incremental_strategy = 'delete+insert') }}
WITH fresh AS (SELECT DISTINCT ON (txn_id) * FROM ${csv('{{ var("fresh") }}/*.csv', 'transactions')})
SELECT * FROM (${query}) WHERE coalesce(quantity > 0, true) AND coalesce(unit_price > 0, true)
`;
}

/** A table of ours as dbt finds it. */
function withRefs(sql: string): string {
  return sql.replaceAll(/\b(?:silver|gold)\.(\w+)/g, "{{ ref('$1') }}");
}
