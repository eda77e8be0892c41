import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Statement } from '../../lib/core/statement.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Row } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** A session for statements over tables written by hand, and a folder for what they write. */
export type Handmade = {
  readonly folder: string;
  /** Makes or replaces a table out of rows, each a SQL row value; `columns` are names with types. */
  table(name: string, columns: string, rows: readonly string[]): Promise<void>;
  /** Drops every table and view. */
  clear(): Promise<void>;
  run(...statements: readonly Statement[]): Promise<void>;
  rows(statement: Statement): Promise<readonly Row[]>;
  /** The values of a query's rows. */
  values(select: string): Promise<readonly (readonly unknown[])[]>;
};

export function openHandmade(): Handmade {
  const folder = mkdtempSync(join(tmpdir(), 'strata-sql-'));
  // Hooks of one file do not wait for each other: whoever comes first opens the session.
  const opened = createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 1, scratch: folder });
  after(async () => {
    await (await opened)[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const rows = async (statement: Statement): Promise<readonly Row[]> => (await opened).rows(statement);
  const query = (text: string): Promise<readonly Row[]> => rows({ name: 'by hand', text: userSql(text) });
  return {
    folder,
    async table(name, columns, values) {
      await query(`CREATE OR REPLACE TABLE ${name} (${columns})`);
      if (values.length > 0) await query(`INSERT INTO ${name} VALUES ${values.map((v) => `(${v})`).join(', ')}`);
    },
    async clear() {
      for (const { name, type } of await query(
        'SELECT table_name AS name, table_type AS type FROM information_schema.tables',
      ))
        await query(`DROP ${type === 'VIEW' ? 'VIEW' : 'TABLE'} ${name}`);
    },
    async run(...statements) {
      for (const statement of statements) await (await opened).run(statement);
    },
    rows,
    async values(select) {
      return (await query(select)).map((row) => Object.values(row));
    },
  };
}
