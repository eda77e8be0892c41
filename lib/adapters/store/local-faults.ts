import { InvalidInput, type StrataError, Unavailable } from '../../core/errors.ts';

/** The `code` of a file system error, such as ENOENT; undefined for anything else. */
export function faultCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** True when the error says that there is no such file: a missing name, or a file where a folder would have to be. */
export function isMissing(cause: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'].includes(faultCode(cause) ?? '');
}

const REFUSED: Readonly<Record<string, string>> = {
  EACCES: 'the file system refuses access; give this user the right to read and write there',
  EPERM: 'the file system refuses access; give this user the right to read and write there',
  EROFS: 'the file system is read-only; choose another folder',
  ENAMETOOLONG: 'the name is too long for the file system (mostly 255 bytes between slashes); shorten it',
  EISDIR: 'a folder stands where the object would be; move it away',
  ENOTDIR: 'a file stands where a folder of the key would be; move it away',
  EEXIST: 'a file stands where a folder of the key would be; move it away',
  ENOTEMPTY: 'a folder stands where the object would be; move it away',
};

/**
 * What a failed file operation means to a caller: InvalidInput where trying again cannot help, Unavailable otherwise
 * (a full disk, too many open files, an I/O error). Errors of our own pass unchanged.
 */
export function storeFault(what: string, key: string, cause: unknown): unknown {
  const code = faultCode(cause);
  if (code === undefined) return cause;
  const reason = REFUSED[code];
  const refused = (): StrataError =>
    new InvalidInput(`cannot ${what} ${JSON.stringify(key)}: ${reason} (${code})`, [], { cause });
  return reason === undefined
    ? new Unavailable(`cannot ${what} ${JSON.stringify(key)} now: ${code}; try again`, { cause })
    : refused();
}
