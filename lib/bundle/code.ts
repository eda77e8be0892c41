import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { APART, entriesApart, entriesBeside, LIGHT, WORKERS } from './functions.ts';
import { mapOwnCode } from './own-maps.ts';

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

/** Messages of zod in other languages are half a megabyte that every start of a function would read. */
const oneLanguage: Plugin = {
  name: 'one language',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

/** The code of WebAssembly of Kafka's client is a file beside it, or in it by another name, which is found from where it is asked for. */
const bundledWasm: Plugin = {
  name: 'bundled WebAssembly',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@platformatic\/wasm-utils$/ }, ({ path, importer, resolveDir, kind }) =>
      resolve(`${path}/bundled`, { importer, resolveDir, kind }),
    );
  },
};

/** Names stay as they are, because ErrorEquals matches the names of error classes. */
const SHARED = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

const OPTIONS = {
  ...SHARED,
  target: 'node24',
  outExtension: { '.js': '.mjs' },
  legalComments: 'none',
  external: NATIVE,
  banner: { js: COMMONJS },
  plugins: [declareGenerated, oneLanguage, bundledWasm],
} as const satisfies BuildOptions;

/** What a package has no sources for: see `placeCode`. */
const OF_SOURCES = ['./code.ts'];

/** Packages that only those install who need them. */
const CHOSEN = ['@platformatic/kafka', 'pg', 'pg-copy-streams'];

/** Which runs state machines. It loads at once what it needs to call functions of AWS and to check definitions by itself. */
const RUNNER = 'aws-local-stepfunctions';
const UNUSED = /^(@aws-sdk\/(client-lambda|credential-providers)|asl-validator)$/;

/**
 * What the runner of state machines loads and we never let it use, which took a fifth of a run without new files: every
 * Task state has a handler, and lib/asl checks definitions.
 */
const leaveOutUnused: Plugin = {
  name: 'leave out what the runner does not use',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: UNUSED }, ({ path, importer }) =>
      importer.includes(`/${RUNNER}/`) ? { path, namespace: 'unused', sideEffects: false } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Bundles the workers of `root`/lambdas into `folder`/worker, and each other function into a folder of its name. */
export async function bundleCode(root: string, folder: string): Promise<void> {
  await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: WORKERS.map((name) => `lambdas/${name}.ts`),
    splitting: true,
    chunkNames: 'shared/[name]-[hash]',
    outdir: join(folder, 'worker'),
  });
  for (const name of APART) {
    await build({
      ...OPTIONS,
      absWorkingDir: root,
      entryPoints: entriesApart(name).map((entry) => `lambdas/${entry}.ts`),
      splitting: true,
      chunkNames: 'shared/[name]-[hash]',
      outdir: join(folder, name),
    });
  }
  for (const name of LIGHT) {
    const others = entriesBeside(name).map((entry) => [entry, `lambdas/${entry}.ts`]);
    await build({
      ...OPTIONS,
      absWorkingDir: root,
      entryPoints: { index: `lambdas/${name}.ts`, ...Object.fromEntries(others) },
      splitting: others.length > 0,
      chunkNames: 'shared/[name]-[hash]',
      outdir: join(folder, name),
    });
  }
  await mapOwnCode(folder);
}

/**
 * Bundles the command line `root`/bin/strata.ts into `folder`, beside which the package's own pipelines lie: a file for
 * the start, and one for each part that is loaded only when it is used. What others wrote stays in `node_modules` and is
 * loaded by name, but for the runner of state machines.
 */
export async function bundleCommand(root: string, folder: string): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  await build({
    ...SHARED,
    absWorkingDir: root,
    entryPoints: ['bin/strata.ts'],
    target: 'node22',
    external: [...OF_SOURCES, ...Object.keys(dependencies).filter((name) => name !== RUNNER), ...CHOSEN],
    plugins: [leaveOutUnused],
    splitting: true,
    chunkNames: '[name]-[hash]',
    outdir: folder,
  });
}
