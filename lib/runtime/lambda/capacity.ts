import { EngineError } from '../../core/errors.ts';
import type { StepName } from '../../core/states.ts';

type Sizes = { readonly memoryMb: number; readonly tmpMb: number };

/** How DuckDB begins when it may not use more memory, or may not spill more; and what tells the second. */
const OUT_OF_MEMORY = /^Out of Memory Error: /;
const SPILL_LIMIT = /\bmax_temp_directory_size\b/;
const DISK_FULL = /^IO Error: .*: No space left on device/;

/**
 * An error of a unit that did not fit its function, with the settings to raise; any other error as it is. Only what
 * DuckDB or the disk says counts, not an error's text as a whole, which may quote data.
 */
export function explainCapacity(step: StepName, sizes: Sizes, cause: unknown): unknown {
  const lack = chainOf(cause).map(lackIn).find(Boolean);
  if (lack === undefined || !(cause instanceof Error)) return cause;
  return new EngineError(`${remedyFor(step, sizes, lack)}. It failed with: ${cause.message}`, { cause });
}

type Lack = 'memory' | 'tmp';

function lackIn({ message, code }: Error & { readonly code?: unknown }): Lack | undefined {
  if (code === 'ENOSPC' || DISK_FULL.test(message)) return 'tmp';
  if (!OUT_OF_MEMORY.test(message)) return undefined;
  return SPILL_LIMIT.test(message) ? 'tmp' : 'memory';
}

function remedyFor(step: StepName, { memoryMb, tmpMb }: Sizes, lack: Lack): string {
  const [where, mb] = lack === 'tmp' ? ['/tmp', tmpMb] : ['memory', memoryMb];
  return (
    `The unit did not fit in ${where}: raise compute.steps.${step}.${lack} (${mb} MB now, at most 10240), ` +
    'or lower settings.unitBytes where a unit has several files'
  );
}

/** An error and what caused it, the outermost first. */
function chainOf(cause: unknown): readonly Error[] {
  return cause instanceof Error ? [cause, ...chainOf(cause.cause)] : [];
}
