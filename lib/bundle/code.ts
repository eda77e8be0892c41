import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { LIGHT, WORKERS } from './functions.ts';

/** Packages with native code, which lie beside the bundle. */
const NATIVE = ['@duckdb/node-bindings-*'];

/** Dependencies that are CommonJS ask for these at run time. */
const COMMONJS = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { dirname as __dirnameOf } from 'node:path';",
  "import { fileURLToPath as __fileOf } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileOf(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join('');

/**
 * parquetjs-lite's generated types assign to names that nobody declared, which a module may not do: they are declared.
 */
const declareGenerated: Plugin = {
  name: 'declare generated names',
  setup({ onLoad }) {
    onLoad({ filter: /parquetjs-lite\/gen-nodejs\/.*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(
        /^(\w+) = module\.exports\.\1 = /gm,
        'var $1 = module.exports.$1 = ',
      ),
      loader: 'js',
    }));
  },
};

/** Names stay as they are, because ErrorEquals matches the names of error classes. */
const OPTIONS = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outExtension: { '.js': '.mjs' },
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  external: NATIVE,
  banner: { js: COMMONJS },
  plugins: [declareGenerated],
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Bundles the workers of `root`/lambdas into `folder`/worker, and each light function into a folder of its name. */
export async function bundleCode(root: string, folder: string): Promise<void> {
  await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: WORKERS.map((name) => `lambdas/${name}.ts`),
    splitting: true,
    chunkNames: 'shared/[name]-[hash]',
    outdir: join(folder, 'worker'),
  });
  for (const name of LIGHT) {
    await build({
      ...OPTIONS,
      absWorkingDir: root,
      entryPoints: { index: `lambdas/${name}.ts` },
      outdir: join(folder, name),
    });
  }
}
