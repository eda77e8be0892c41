import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InvalidInput } from '../core/errors.ts';

/**
 * Makes a folder that an option names, and those above it. Throws InvalidInput where it cannot be made, is a file or
 * may not be written to. (Node's own recursive mkdir never ends where the system denies a folder that it lists, /proc.)
 */
export async function requireFolder(path: string, option: string): Promise<void> {
  const folder = resolve(path);
  try {
    await make(folder);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw refused(path, option, cause);
  }
}

/** For looking only: a folder need not be there, but nothing else may be. Throws InvalidInput. */
export async function checkFolder(path: string, option: string): Promise<void> {
  const folder = resolve(path);
  try {
    const found = await stat(folder);
    if (!found.isDirectory()) throw new NotAFolder();
    await access(folder, constants.R_OK | constants.X_OK);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw refused(path, option, cause);
  }
}

class NotAFolder extends Error {
  readonly code = 'ENOTDIR';
}

async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') {
      if (!(await stat(folder)).isDirectory()) throw new NotAFolder();
      return;
    }
    const above = dirname(folder);
    if (codeOf(cause) !== 'ENOENT' || above === folder) throw cause;
    await make(above);
    await mkdir(folder).catch((again: unknown) => {
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTDIR: 'it is a file, or lies below one',
  EACCES: 'this user has no right to read and write there',
  EPERM: 'the system allows no folder there',
  ENOENT: 'the system allows no folder there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the name is too long for the file system',
  ELOOP: 'its symbolic links lead in a circle',
};

function refused(path: string, option: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (code === undefined) return cause;
  const reason = REASONS[code] ?? 'the system refuses it';
  return new InvalidInput(
    `${option} ${JSON.stringify(path)} cannot be used: ${reason} (${code}); expected a folder, or a place for one`,
    [],
    { cause },
  );
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** What ends the path of a URL: other engines look for files of such a lake in another place. */
export async function requireReadablePlace(root: string): Promise<void> {
  const found = /[#?]/.exec(root)?.[0];
  if (found === undefined || (await stat(join(root, 'ops')).catch(() => undefined)) !== undefined) return;
  throw new InvalidInput(
    `a new lake at ${root}: got a path with ${JSON.stringify(found)}; expected one without # and ?. Its tables name their files by ` +
      `file://${root}/..., and in such a URL ${JSON.stringify(found)} ends the path, so that PyIceberg and others would not find them. ` +
      'Choose another folder, or give the lake a base of its own: --location-base',
  );
}
