import { mkdir } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from '../lib/sql/quote.ts';
import { MEMORY_BYTES, THREADS } from './settings.ts';

/** A plain DuckDB connection for a floor script, with the threads and the memory that the lake gets. */
export type Floor = {
  run(sql: string): Promise<void>;
  /** Writes a query as Parquet. Partitioned, `path` is a folder. */
  write(query: string, path: string, partitionBy?: readonly string[]): Promise<void>;
};

export async function openFloor(out: string): Promise<Floor> {
  await mkdir(out, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(THREADS),
    memory_limit: `${MEMORY_BYTES / 1_000_000}MB`,
  });
  const connection = await instance.connect();
  const run = async (sql: string): Promise<void> => {
    await connection.run(sql);
  };
  return {
    run,
    write(query, path, partitionBy = []) {
      const partition = partitionBy.length === 0 ? '' : `, PARTITION_BY (${partitionBy.join(', ')})`;
      return run(`COPY (${query}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd${partition})`);
    },
  };
}

/** A CSV file with a header and known columns: nothing is sniffed. `rejects`: `reject_errors` takes what cannot be cast. */
export function typedCsv(path: string, columns: Readonly<Record<string, string>>, rejects = false): string {
  const types = Object.entries(columns).map(([name, type]) => `${name}: ${quoteText(type)}`);
  return `read_csv(${quoteText(path)}, header = true, auto_detect = false, columns = {${types.join(', ')}}${rejects ? ', store_rejects = true, rejects_limit = 0' : ''})`;
}
