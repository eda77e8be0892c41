import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Every file and package that loading a file loads with it, apart from what is imported only when it is used. */
export function staticImports(file: string, seen: Set<string> = new Set()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, from = ''] of text.matchAll(/^(?:import|export) (?!type)[^;]*?from '([^']+)'/gm)) {
    if (from.startsWith('.')) staticImports(resolve(dirname(file), from), seen);
    else seen.add(from);
  }
  return seen;
}
