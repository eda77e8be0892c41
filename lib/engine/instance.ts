import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { SessionOptions, Statement } from '../ports.ts';
import { disableOptimizers } from '../sql/guard.ts';
import { lockDown } from '../sql/lock-down.ts';
import { limitSpill, profileTo, setUtc } from '../sql/session.ts';

/** A database in memory, with settings for good. */
export type Instance = {
  /** The one that it was set up by. */
  readonly connection: DuckDBConnection;
  /** The folder that it spills into, which is there once it has. */
  readonly spill: string;
  /** Another one, with temporary objects and variables of its own. */
  connect(): Promise<DuckDBConnection>;
  /** Ends its connections, and removes what it spilled. */
  close(): Promise<void>;
};

/**
 * DuckDB names the files that it spills by number alone, so two databases in one folder would read and remove each
 * other's: each has a folder of its own below `scratch`, which is gone when it is closed.
 */
export async function openInstance(options: SessionOptions): Promise<Instance> {
  const spill = join(options.scratch, `spill-${randomBytes(6).toString('hex')}`);
  // DuckDB makes its folder when it first spills, but none above it; where none can be made, it says so then.
  await mkdir(options.scratch, { recursive: true, mode: 0o700 }).catch(() => {});
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads),
    memory_limit: `${Math.max(64, Math.floor(options.memoryBytes / 1_000_000))}MB`,
    temp_directory: spill,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
    // It knows a file by its path, size and time: a part of a file that takes the place of another may have all three.
    enable_external_file_cache: 'false',
  });
  const close = async (): Promise<void> => {
    instance.closeSync();
    await rm(spill, { recursive: true, force: true });
  };
  try {
    const connection = await instance.connect();
    for (const statement of settingsOf(options)) await connection.run(statement.text);
    return { connection, spill, connect: () => instance.connect(), close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function settingsOf({ spillBytes, folders, guarded, profile }: SessionOptions): readonly Statement[] {
  return [
    setUtc(),
    // Given when the database is made, DuckDB 1.5.5 shows it and spills on beyond it.
    ...(spillBytes === undefined ? [] : [limitSpill(spillBytes)]),
    // As a join, a long IN list returns rows in another order, and rows are told apart by their order.
    disableOptimizers(guarded === true ? ['common_subexpressions'] : []),
    ...(profile === undefined ? [] : profileTo(profile)),
    ...(folders === undefined ? [] : lockDown(folders)),
  ];
}
