import * as errors from '../core/errors.ts';
import { EXIT } from './context.ts';
import { StreamFailed } from './terminal.ts';

/** How a command that could not do its work ends: its exit code, what it says, and the document under --json. */
export type Failure = {
  readonly exitCode: number;
  readonly message: string;
  readonly document: { readonly error: Readonly<Record<string, unknown>> };
};

/** What the system refuses, and what helps; https://man7.org/linux/man-pages/man3/errno.3.html */
const REFUSED: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space, and run the command again',
  EDQUOT: "the user's quota of the disk is used up; free some space, and run the command again",
  EACCES: 'this user may not do that; give it the right to read and write there',
  EPERM: 'this user may not do that; give it the right to read and write there',
  EROFS: 'the file system is read-only; choose another folder',
  ENOTDIR: 'a file stands where a folder should be; move it away',
  EISDIR: 'a folder stands where a file should be; move it away',
  EEXIST: 'something stands there already; move it away',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'the name is too long for the file system; shorten it',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  EIO: 'the disk failed to read or write',
  EFBIG: 'the file would be larger than the file system, or the limit of this user (ulimit -f), allows',
};

/**
 * Wrong use says what is wrong, a Strata error says its message, what the system refused says so, and anything else is
 * a fault of ours: it says so, with the stack under --debug.
 */
export function describeFailure(error: unknown, debug: boolean): Failure {
  const name = error instanceof Error ? error.name : 'Error';
  const reason = error instanceof Error ? error.message : String(error);
  const failure = (exitCode: number, message: string, details: Readonly<Record<string, unknown>> = {}): Failure => ({
    exitCode,
    message: withStack(message, error, debug),
    document: { error: { name, message: reason, ...details } },
  });
  if (error instanceof errors.InvalidInput) return failure(EXIT.wrongUse, reason, { problems: error.problems });
  if (error instanceof errors.LockHeld) return failure(EXIT.locked, `${name}: ${reason}`);
  if (error instanceof errors.StrataError) return failure(EXIT.failed, `${name}: ${reason}`);
  if (error instanceof StreamFailed) return failure(EXIT.failed, reason);
  const advice = debug ? '' : '. This is a fault of Strata; --debug shows where it happened';
  return failure(EXIT.failed, refusedBySystem(reason) ?? `unexpected error: ${name}: ${reason}${advice}`);
}

/** The error of a run, by which only its name tells whether it was raised on purpose. */
export function describeRunError({ name, message }: { readonly name: string; readonly message: string }): string {
  const ours = name in errors || name.startsWith('States.');
  if (ours) return `${name}: ${message}`;
  return refusedBySystem(message) ?? `unexpected error: ${name}: ${message}. This is a fault of Strata`;
}

/** Node writes `ENOSPC: no space left on device, write '/lake/x'`. */
function refusedBySystem(reason: string): string | undefined {
  const [, code, what] = /^([A-Z][A-Z0-9]+): (.*)$/s.exec(reason) ?? [];
  const help = code === undefined ? undefined : REFUSED[code];
  return help === undefined ? undefined : `${help} (${code}: ${what})`;
}

function withStack(message: string, error: unknown, debug: boolean): string {
  if (!debug || !(error instanceof Error)) return message;
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : '';
  return `${message}\n${error.stack ?? ''}${cause}`;
}
