import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = new URL('../..', import.meta.url).pathname;

/**
 * Which layer may import which; anything not listed is forbidden. `ports` and `package-files` are the files of those names
 * in lib, `iceberg/types` the plain types of the table format, `adapters/aws` the names that Strata has for the SDK's errors.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  iceberg: ['core'],
  sql: ['core'],
  asl: ['core'],
  define: ['core'],
  ports: ['core', 'iceberg/types'],
  'package-files': [],
  engine: ['ports', 'core', 'sql'],
  landing: ['ports', 'core', 'sql'],
  compile: ['ports', 'core', 'sql', 'define'],
  plan: ['core'],
  generate: ['ports', 'core', 'sql'],
  table: ['ports', 'core', 'iceberg'],
  adapters: ['ports', 'core', 'sql', 'iceberg/types'],
  lake: ['landing', 'plan', 'table', 'sql', 'iceberg', 'core', 'ports'],
  steps: ['lake', 'plan', 'table', 'landing', 'sql', 'iceberg', 'core', 'ports'],
  query: ['lake', 'plan', 'table', 'compile', 'sql', 'iceberg', 'core', 'ports'],
  'model-tests': ['lake', 'table', 'sql', 'iceberg', 'core', 'ports'],
  remote: ['lake', 'query', 'sql', 'plan', 'asl', 'core', 'ports', 'adapters/aws'],
  report: ['core'],
  runtime: [
    'adapters',
    'asl',
    'compile',
    'core',
    'define',
    'engine',
    'iceberg',
    'lake',
    'model-tests',
    'package-files',
    'plan',
    'ports',
    'query',
    'remote',
    'report',
    'steps',
    'table',
  ],
  cli: [
    'runtime',
    'remote',
    'model-tests',
    'query',
    'generate',
    'asl',
    'report',
    'plan',
    'bundle',
    'package-files',
    'core',
    'ports',
  ],
  infra: ['package-files', 'core'],
  lambdas: ['runtime', 'steps'],
  // Bundles lambdas/ by path, as infra takes the bundles.
  bundle: ['runtime', 'package-files', 'core'],
  bin: ['cli', 'infra', 'bundle', 'core'],
};

/** Layers without a world: same input, same output, nothing read and nothing kept. */
const PURE = ['core', 'iceberg', 'sql', 'asl', 'plan', 'report'];
/** Compression and checksums compute; they reach for nothing. */
const CODECS = ['node:zlib', 'node:crypto'];
const IMPURE_NAMES =
  /\b(process|console|Date\.now|new Date\(\)|Math\.random|randomUUID|setTimeout|setInterval|performance)\b/;

type Import = { readonly from: string; readonly to: string };

const FILES = globSync('{lib,lambdas,bin}/**/*.ts', { cwd: ROOT }).map((file) => file.split(sep).join('/'));
const SOURCES = new Map(FILES.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

function importsOf(file: string): { readonly own: readonly Import[]; readonly outside: readonly string[] } {
  const found = [...(SOURCES.get(file) ?? '').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1] ?? '');
  const own = found
    .filter((path) => path.startsWith('.'))
    .map((path) => ({ from: file, to: relative(ROOT, normalize(join(ROOT, dirname(file), path))) }));
  return { own, outside: found.filter((path) => !path.startsWith('.')) };
}

function layerOf(file: string): string {
  const [top, second] = file.split('/');
  if (top !== 'lib') return top ?? '';
  return (second ?? '').replace(/\.ts$/, '');
}

function allows(from: string, file: string): boolean {
  const to = layerOf(file);
  const allowed = MAY_IMPORT[from] ?? [];
  const parts: Readonly<Record<string, string>> = {
    'lib/iceberg/types.ts': 'iceberg/types',
    'lib/adapters/aws/errors.ts': 'adapters/aws',
  };
  return from === to || allowed.includes(to) || allowed.includes(parts[file] ?? to);
}

describe('the layers', () => {
  test('every folder is a known layer', () => {
    const unknown = FILES.filter((file) => MAY_IMPORT[layerOf(file)] === undefined);
    assert.deepEqual(unknown, []);
  });

  test('imports go in the listed directions only', () => {
    const back = FILES.flatMap((file) => importsOf(file).own).filter(({ from, to }) => !allows(layerOf(from), to));
    assert.deepEqual(back, []);
  });

  test('no file imports itself by way of others, types included', () => {
    const edges = new Map(FILES.map((file) => [file, importsOf(file).own.map(({ to }) => to)]));
    assert.deepEqual(findCircle(edges), undefined);
  });

  test('pure layers reach for nothing outside', () => {
    const offenders = FILES.filter((file) => PURE.includes(layerOf(file))).flatMap((file) => {
      const modules = importsOf(file).outside.filter((m) => /^(node:|@duckdb|@aws)/.test(m) && !CODECS.includes(m));
      const code = (SOURCES.get(file) ?? '')
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replaceAll(/'[^']*'|`[^`]*`/g, '');
      const name = IMPURE_NAMES.exec(code)?.[0];
      return [...modules, ...(name === undefined ? [] : [name])].map((what) => `${file}: ${what}`);
    });
    assert.deepEqual(offenders, []);
  });

  test('only infra knows the CDK, only the engine knows DuckDB, only runtime builds adapters', () => {
    const strangers = FILES.flatMap((file) => {
      const { own, outside } = importsOf(file);
      const layer = layerOf(file);
      const cdk = outside.filter(
        (m) => /^(aws-cdk-lib|constructs|cdk-nag)/.test(m) && layer !== 'infra' && layer !== 'bin',
      );
      const duckdb = outside.filter((m) => m.startsWith('@duckdb') && layer !== 'engine');
      const adapters = own.filter(
        ({ to }) => layerOf(to) === 'adapters' && !['runtime', 'adapters'].includes(layer) && !allows(layer, to),
      );
      return [...cdk, ...duckdb, ...adapters.map((a) => a.to)].map((what) => `${file}: ${what}`);
    });
    assert.deepEqual(strangers, []);
  });
});

test('tables are loaded where they are, which loadTable sees to', () => {
  const direct = FILES.filter(
    (file) => /catalog\s*\.load\(/.test(SOURCES.get(file) ?? '') && !file.startsWith('lib/adapters/'),
  );
  assert.deepEqual(direct, ['lib/table/read.ts']);
});

test('what is said on a terminal goes through one writer, which escapes it', () => {
  const code = (file: string): string => (SOURCES.get(file) ?? '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const streams = FILES.filter((file) => /process\s*\.\s*std(out|err)|\bstd(out|err)\.write\(/.test(code(file)));
  // The entry hands the streams over; the others write to what the writer made of them.
  const direct = streams.filter((file) => /process\.std/.test(code(file)) || !file.startsWith('lib/cli/'));
  assert.deepEqual(direct, ['bin/strata.ts']);
  const raw = FILES.filter((file) => /\bconsole\b(?!\.error\(visibleText\()|node:console/.test(stripTexts(code(file))));
  assert.deepEqual(raw, []);
});

/** Source without its texts, so that words in messages are no code. */
function stripTexts(text: string): string {
  return text.replaceAll(/'(?:\\.|[^'\\\n])*'/g, "''").replaceAll(/`[^`]*`/g, '``');
}

test('every source file stays near the size that one reads at once', () => {
  const long = FILES.filter((file) => (SOURCES.get(file) ?? '').split('\n').length > 301);
  assert.deepEqual(long, []);
});

function findCircle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const circle = visit(next, [...path, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
