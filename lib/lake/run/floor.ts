import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { Session } from '../../ports.ts';
import { tryMachine } from '../../sql/floor.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';

/** What an engine needs to be opened and to have room. */
export type EngineDeps = Pick<StepDeps, 'engine' | 'ids' | 'settings' | 'turns'>;

/**
 * Whether the machine does what it should with rows that are known to be good: makes, sorts, writes and reads them. Where
 * it does not (no memory, no disk), no file and no row may be blamed for what fails.
 */
export async function machineHolds(deps: EngineDeps): Promise<boolean> {
  try {
    await using scratch = await openScratch(deps, 'floor');
    await using session = await deps.engine.open(deps.settings);
    for (const statement of tryMachine(join(scratch.folder, 'floor.parquet'))) await session.run(statement);
    return true;
  } catch (cause) {
    if (cause instanceof EngineError || isFileError(cause)) return false;
    throw cause;
  }
}

function isFileError(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause;
}

export async function withPlainSession<T>(deps: EngineDeps, use: (session: Session) => Promise<T>): Promise<T> {
  await using session = await deps.engine.open(deps.settings);
  return await use(session);
}
