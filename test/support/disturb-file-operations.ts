/**
 * A preload (`node --import`) that disturbs one operation on files of the process: the n-th that changes something, or
 * the n-th of those on a path. What is disturbed is said in FILE_DISTURBANCE, see `Disturbance`. Nothing is disturbed
 * without it. A stopped process (SIGSTOP) waits right before the operation and does it when it is continued.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

export type Disturbance = {
  readonly kind: 'stop' | 'kill' | 'fail' | 'delay';
  /** Which of the operations that fit, from 1. */
  readonly nth: number;
  /** `rename`, `link` ...; any that changes something by default. */
  readonly operation?: string;
  /** A regular expression that one of the paths of the operation has to fit. */
  readonly path?: string;
  /** For `fail`. */
  readonly code?: string;
  /** For `delay`: milliseconds. */
  readonly ms?: number;
};

const CHANGES = ['open', 'writeFile', 'rename', 'link', 'symlink', 'unlink', 'mkdir', 'copyFile', 'utimes', 'rm'];

/** The environment of a process that is disturbed so, and the option of node that loads this file. */
export function disturbed(disturbance: Disturbance): { readonly args: readonly string[]; readonly env: object } {
  return {
    args: ['--import', import.meta.url],
    env: { ...process.env, FILE_DISTURBANCE: JSON.stringify(disturbance) },
  };
}

function install({ kind, nth, operation, path, code = 'EIO', ms = 0 }: Disturbance): void {
  const changes = fs as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
  let seen = 0;
  for (const name of operation === undefined ? CHANGES : [operation]) {
    const original = changes[name];
    if (original === undefined) throw new Error(`no operation of node:fs/promises: ${name}`);
    changes[name] = async (...args) => {
      const paths = args.filter((arg) => typeof arg === 'string');
      const reads = name === 'open' && !/[wa]/.test(String(args[1] ?? 'r'));
      if (!reads && (path === undefined || paths.some((one) => new RegExp(path).test(one)))) seen += 1;
      else return original(...args);
      if (seen !== nth) return original(...args);
      if (kind === 'fail') throw Object.assign(new Error(`${code}: injected, ${name}`), { code });
      if (kind === 'delay') await new Promise((resolve) => setTimeout(resolve, ms));
      else process.kill(process.pid, kind === 'stop' ? 'SIGSTOP' : 'SIGKILL');
      return original(...args);
    };
  }
  syncBuiltinESMExports();
}

const wanted = process.env['FILE_DISTURBANCE'];
if (wanted !== undefined) install(JSON.parse(wanted) as Disturbance);
