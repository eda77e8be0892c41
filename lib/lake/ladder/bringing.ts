import { EngineError } from '../../core/errors.ts';
import type { Log, LogFields } from '../../ports.ts';
import { NEEDS_ALL, type ReadNeeds } from '../tables/read-needs.ts';

/** How DuckDB speaks of a Parquet file that it cannot read. */
const READER = /TProtocolException|parquet|decompress|Failed to read file/i;

/** Whether the engine could not read a file, as where only parts of it are there. */
export function isUnread(cause: unknown): cause is EngineError {
  return cause instanceof EngineError && READER.test(cause.message);
}

/**
 * Does work with what it needs of tables. What the engine planned over empty tables may not be what it does: where it reads
 * what is not there, the work is done again with all that there is.
 */
export async function bringing<T>(
  log: Log,
  names: LogFields,
  needs: () => Promise<ReadNeeds>,
  work: (needs: () => Promise<ReadNeeds>) => Promise<T>,
): Promise<T> {
  try {
    return await work(needs);
  } catch (cause) {
    if (!isUnread(cause)) throw cause;
    log.warn('inputs are brought whole', { ...names, reason: cause.message });
    return work(async () => NEEDS_ALL);
  }
}
