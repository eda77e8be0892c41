import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, SideResult } from '../bench.ts';
import { freshFolder, PIPELINES, WORK } from '../folders.ts';
import { measureTree } from '../process-tree.ts';
import { GOLD, RETAIL_TABLES } from '../retail/tables.ts';
import type { Side } from '../rounds.ts';
import { readDatabase } from './database.ts';
import { csv, versions } from './dbt.ts';
import { findPython } from './peers.ts';

const FOLDER = join(WORK, 'sqlmesh');
/** SQLMesh names what it makes after the file of its database. */
const DATABASE = join(FOLDER, 'retail.duckdb');

/** The retail tables by SQLMesh, from nothing: a plan of which all is applied. Undefined where it is not installed. */
export async function sqlmeshSide(bench: Bench, input: string): Promise<Side | undefined> {
  const python = await findPython('sqlmesh');
  if (python === undefined) return undefined;
  const command = ['-c', 'from sqlmesh.cli.main import cli; cli()', 'plan', '--auto-apply', '--no-prompts'];
  return {
    name: 'SQLMesh',
    async run(): Promise<SideResult> {
      await freshFolder(FOLDER);
      await writeProject(input);
      const sample = await measureTree(python, command, FOLDER);
      return { ...sample, fingerprints: await readDatabase(bench.session, DATABASE, 'retail', RETAIL_TABLES) };
    },
  };
}

/** A project that makes the tables in a DuckDB file, out of the SQL of the pipeline. */
async function writeProject(input: string): Promise<void> {
  const sqlOf = (model: string): Promise<string> => readFile(join(PIPELINES, 'retail', `${model}.sql`), 'utf8');
  const files: Record<string, string> = {
    'config.yaml': `gateways:
  bench:
    connection: { type: duckdb, database: ${DATABASE} }
default_gateway: bench
model_defaults: { dialect: duckdb, start: '2025-01-01' }
disable_anonymized_analytics: true
`,
    'models/customers.sql': model('silver.customers', versions('customers', 'customer_id', input)),
    'models/products.sql': model('silver.products', versions('products', 'product_id', input)),
    'models/sales.sql': model('silver.sales', salesOf(await sqlOf('silver/sales'), input)),
  };
  for (const name of GOLD) files[`models/${name}.sql`] = model(`gold.${name}`, await sqlOf(`gold/${name}`));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(FOLDER, path, '..'), { recursive: true });
    await writeFile(join(FOLDER, path), text);
  }
}

function model(name: string, sql: string): string {
  return `MODEL (name ${name}, kind FULL);\n\n${sql}`;
}

function salesOf(sql: string, input: string): string {
  const query = sql.slice(sql.indexOf('SELECT')).replace('batch.transactions', 'fresh');
  return `WITH fresh AS (SELECT DISTINCT ON (txn_id) * FROM ${csv(`${input}/transactions/*.csv`, 'transactions')})
SELECT * FROM (${query}) AS sold WHERE coalesce(quantity > 0, true) AND coalesce(unit_price > 0, true)
`;
}
