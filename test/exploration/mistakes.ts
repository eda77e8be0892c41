import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A mistake that could be made in the product, as a change of its text. */
export type Mistake = {
  readonly name: string;
  readonly file: string;
  /** What stands there, each once, and what stands there instead. */
  readonly changes: readonly (readonly [text: string, instead: string])[];
};

const ROOT = new URL('../../', import.meta.url).href;
const QUERY = /[?&]mistake=([a-z-]+)/;

/**
 * Loads a module of these tests, and with it all modules of the product anew, with a mistake in one of them. Nothing of the
 * product has to be made ready for it.
 */
export async function withMistake<Module>(mistake: Mistake, path: string): Promise<Module> {
  const file = new URL(mistake.file, ROOT).href;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const name = QUERY.exec(context.parentURL ?? '')?.[1];
      const isOurs = found.url.startsWith(ROOT) && !found.url.includes('/node_modules/');
      return name !== undefined && isOurs ? { ...found, url: `${found.url}?mistake=${name}` } : found;
    },
    load(url, context, next) {
      const found = next(url, context);
      if (url !== `${file}?mistake=${mistake.name}`) return found;
      return { ...found, source: plant(mistake, readFileSync(fileURLToPath(file), 'utf8')) };
    },
  });
  try {
    return (await import(`${new URL(path, import.meta.url).href}?mistake=${mistake.name}`)) as Module;
  } finally {
    hooks.deregister();
  }
}

/** The text of the file with the mistake. Throws where it is not as the mistake expects it. */
export function plant({ name, file, changes }: Mistake, text: string): string {
  return changes.reduce((before, [there, instead]) => {
    const parts = before.split(there);
    if (parts.length === 2) return parts.join(instead);
    throw new Error(`mistake ${name}: ${file} has ${JSON.stringify(there)} ${parts.length - 1} times; plant it anew`);
  }, text);
}
