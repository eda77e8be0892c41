import { setTimeout as sleep } from 'node:timers/promises';
import { type DuckDBConnection, type DuckDBPendingResult, DuckDBPendingResultState } from '@duckdb/node-api';

/** Milliseconds until it is looked for the first time whether a statement has ended, and at most between two looks. */
const FIRST_LOOK = 2;
const LONGEST_WAIT = 16;

/** What the library puts before DuckDB's own words. */
const PREFIX = /^Failure running pending result task: /;

/**
 * Runs a statement that one of DuckDB's threads does alone. The thread that waits for a statement asks for a part of the work all
 * the while where there is none, which takes as much processor time again; here it asks now and then. Throws what DuckDB says.
 */
export async function runWaiting(connection: DuckDBConnection, text: string): Promise<void> {
  const pending = await connection.start(text);
  for (let wait = FIRST_LOOK; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    await sleep(wait);
    if (hasEnded(pending)) break;
  }
  await pending.getResult();
}

/** Whether a statement has ended. A part of the work that no thread has taken up by now is done here. */
function hasEnded(pending: DuckDBPendingResult): boolean {
  try {
    return pending.runTask() === DuckDBPendingResultState.RESULT_READY;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new Error(cause.message.replace(PREFIX, ''), { cause });
  }
}
