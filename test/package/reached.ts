import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The package's own manifest. */
export const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly files: readonly string[];
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
};

/** Bundles functions where there are sources, which an installed package does not have. */
const OF_SOURCES = 'lib/bundle/code.ts';

/** What a file loads, at once or when something is used: our files, and packages by name. Types load nothing. */
export function reachedFrom(entries: readonly string[]): {
  readonly files: readonly string[];
  readonly packages: readonly string[];
} {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file) || file === OF_SOURCES) return;
    files.add(file);
    for (const name of importsOf(readFileSync(join(ROOT, file), 'utf8'))) {
      if (name.startsWith('.')) visit(normalize(join(file, '..', name)));
      else if (!name.startsWith('node:') && !builtinModules.includes(name)) packages.add(packageOf(name));
    }
  };
  for (const entry of entries) visit(relative(ROOT, join(ROOT, entry)));
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function importsOf(text: string): readonly string[] {
  const all = [
    ...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm),
    ...text.matchAll(/^import '([^']+)'/gm),
    ...text.matchAll(/\bimport\('([^']+)'\)/g),
  ];
  return all.map(([, name = '']) => name);
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
