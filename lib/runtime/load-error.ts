import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `file:line:column: message` of what a module threw when it was loaded, as far as its place is known; files from the working folder. */
export async function describeLoadError(path: string, cause: unknown): Promise<string> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const place = cause instanceof Error ? await placeOf(path, cause) : undefined;
  return place === undefined ? reason : `${place}: ${reason}`;
}

async function placeOf(path: string, error: Error): Promise<string | undefined> {
  const stack = error.stack ?? '';
  const known = headed(stack) ?? framed(stack, dirname(dirname(path)));
  if (known !== undefined) return known;
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return importing(error.message);
  return error instanceof SyntaxError ? headed(await saidAlone(path)) : undefined;
}

/** Node heads what it cannot parse or link with `file:line`, the line, and carets below what it does not take. */
function headed(text: string): string | undefined {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => /^(file:\/\/)?\/.*:\d+$/.test(line) || /^[A-Za-z]:\\.*:\d+$/.test(line));
  const [, file, line] = /^(.*):(\d+)$/.exec(lines[at] ?? '') ?? [];
  if (file === undefined) return undefined;
  const carets = lines.slice(at + 1).find((one) => /^\s*\^+\s*$/.test(one));
  return shown(file, line, carets === undefined ? undefined : carets.indexOf('^') + 1);
}

/** The innermost call of the user's own files. */
function framed(stack: string, folder: string): string | undefined {
  for (const [, url = '', line, column] of stack.matchAll(/at .*?(file:\/\/[^\s()]+):(\d+):(\d+)\)?$/gm)) {
    const file = fileURLToPath(url);
    const inside = relative(folder, file);
    if (!inside.startsWith('..') && !inside.includes('node_modules')) return shown(file, line, column);
  }
  return undefined;
}

/** Where the import of a module stands that is not there. */
async function importing(message: string): Promise<string | undefined> {
  const [, missing = '', by] = /^Cannot find \w+ '(.*?)' imported from (.*)$/.exec(message) ?? [];
  if (by === undefined) return undefined;
  const lines = (await readFile(by, 'utf8').catch(() => '')).split('\n');
  const quoted = new RegExp(`['"][^'"]*${basename(missing).replaceAll(/[^\w]/g, '\\$&')}['"]`);
  const at = lines.findIndex((line) => quoted.test(line));
  return at < 0 ? undefined : shown(by, at + 1, (lines[at] ?? '').search(quoted) + 1);
}

/** Where the place of a syntax error is told to nobody but the terminal: what Node says there. Nothing of such a file is run. */
function saidAlone(path: string): Promise<string> {
  const flags = process.execArgv.filter((flag) => flag.startsWith('--experimental'));
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, path], { timeout: 10_000 }, (_error, _stdout, stderr) => resolve(stderr));
  });
}

function shown(file: string, line: number | string | undefined, column: number | string | undefined): string {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  return [relative(process.cwd(), path), line, column].filter((part) => part !== undefined).join(':');
}
