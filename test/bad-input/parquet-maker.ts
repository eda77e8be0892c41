import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

export type ParquetMaker = {
  /** The bytes of a Parquet file with the rows of a query. */
  make(query: string, options?: string): Promise<Uint8Array>;
  close(): Promise<void>;
};

export async function openParquetMaker(): Promise<ParquetMaker> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-parquet-'));
  const session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 1, scratch: folder });
  return {
    async make(query, options = '') {
      const path = join(folder, 'made.parquet');
      await session.run({
        name: 'make',
        text: userSql(`COPY (${query}) TO ${quoteText(path)} (FORMAT parquet${options})`),
      });
      return readFile(path);
    },
    async close() {
      await session[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
