import type { StepName } from '../../core/compute.ts';
import { EngineError } from '../../core/errors.ts';

type Sizes = { readonly memoryMb: number; readonly tmpMb: number };

/** DuckDB's words for memory and for the folder it spills to. */
const OUT_OF_MEMORY = /out of memory|failed to allocate|could not allocate/i;
const OUT_OF_DISK = /no space left on device|max_temp_directory_size|temp directory/i;

/**
 * An error of a unit that did not fit its function, with the settings to raise; any other error as it is. DuckDB also
 * runs out of memory when it may not spill any more, so its words about disk come first.
 */
export function explainCapacity(step: StepName, sizes: Sizes, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const remedy = remedyFor(step, sizes, `${cause.message} ${cause.cause instanceof Error ? cause.cause.message : ''}`);
  return remedy === undefined ? cause : new EngineError(`${cause.message}. ${remedy}`, { cause });
}

function remedyFor(step: StepName, { memoryMb, tmpMb }: Sizes, message: string): string | undefined {
  if (OUT_OF_DISK.test(message)) {
    return `The unit did not fit in /tmp: raise compute.steps.${step}.tmp (${tmpMb} MB now, at most 10240) or lower settings.unitBytes`;
  }
  if (OUT_OF_MEMORY.test(message)) {
    return `The unit did not fit in memory: raise compute.steps.${step}.memory (${memoryMb} MB now, at most 10240) or lower settings.unitBytes`;
  }
  return undefined;
}
