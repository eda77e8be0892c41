import { EngineError } from '../core/errors.ts';

/** What DuckDB calls faults of a statement or of the machine; the bytes of a file are not to blame for them. */
const OURS =
  /\b(Parser|Binder|Catalog|Syntax|INTERNAL|Internal|Not implemented|Out of Memory|Permission|Interrupt) Error|: No space left on device/;

/** Why a file cannot be read, when it was the file that made a statement fail; anything else is thrown. */
export function dataFault(cause: unknown): string {
  if (!(cause instanceof EngineError) || OURS.test(cause.message)) throw cause;
  return cause.message.split('\n')[0] ?? cause.message;
}
