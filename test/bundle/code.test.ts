import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { findBinding } from '../../lib/bundle/binding.ts';
import { bundleCode } from '../../lib/bundle/code.ts';
import { WORKERS } from '../../lib/bundle/functions.ts';
import { sourcesOf } from '../../lib/bundle/source.ts';
import { ARCHITECTURES } from '../../lib/core/bundle-folder.ts';
import { bundleOf, type FunctionName } from '../../lib/core/states.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const run = promisify(execFile);

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-code-'));
  await bundleCode(ROOT, folder);
});
after(() => rm(folder, { recursive: true, force: true }));

/** The sources whose code is loaded with a function: its own, and that of every chunk that it imports. */
async function loadedBy(place: string, module: string): Promise<ReadonlySet<string>> {
  const [open, seen, sources] = [[join(folder, place, `${module}.mjs`)], new Set<string>(), new Set<string>()];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const [code, map] = await Promise.all([readFile(file, 'utf8'), readFile(`${file}.map`, 'utf8')]);
    for (const [, path] of code.matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g))
      open.push(join(dirname(file), path ?? ''));
    for (const source of (JSON.parse(map) as { readonly sources: readonly string[] }).sources) {
      sources.add(relative(ROOT, resolve(dirname(file), source)));
    }
  }
  return sources;
}

describe('a worker loads the code of its own step, and not that of others', () => {
  /** Steps that no other one has a part of. */
  const APART = ['lib/steps/merge/merge.ts', 'lib/steps/merge/plan-merge.ts', 'lib/steps/end/finish.ts'];
  for (const name of WORKERS) {
    test(name, async () => {
      const loaded = await loadedBy('worker', name);
      const own = [...loaded].find((file) => new RegExp(`^lib/steps/[^/]+/${name}\\.ts$`).test(file));
      assert.ok(own !== undefined, `the step is not in ${name}.mjs`);
      assert.ok(loaded.has('lib/engine/duckdb.ts'), 'imports of chunks are followed');
      // Level does the steps of a level itself.
      const others = name === 'level' ? [] : APART.filter((other) => other !== own && loaded.has(other));
      assert.deepEqual(others, []);
    });
  }
});

describe('a light function carries no client that it does not use, and no language but English', () => {
  const CLIENTS = ['client-s3', 'client-sns', 'client-sfn', 'parquetjs-lite'];
  const USED: Readonly<Record<string, readonly string[]>> = {
    Fail: ['client-s3', 'parquetjs-lite'],
    // In a folder that they share, what writes rows is a chunk that is loaded when there are some.
    Notify: ['client-s3', 'client-sns'],
    Starter: ['client-s3', 'client-sns', 'client-sfn'],
    AwaitDecision: ['client-s3', 'client-sns', 'client-sfn'],
    MaintainAfter: ['client-sfn'],
    RunFailed: [],
  };
  for (const [name, used] of Object.entries(USED)) {
    test(name, async () => {
      const { folder: place, module } = bundleOf(name as FunctionName);
      const sources = [...(await loadedBy(place, module))];
      const carried = CLIENTS.filter((client) => sources.some((source) => source.includes(`/${client}/`)));
      assert.deepEqual(carried, used);
      assert.deepEqual(
        sources.filter((source) => /\/zod\/v4\/locales\/(?!en\.js$)/.test(source) && !source.endsWith('/index.js')),
        [],
      );
    });
  }
});

test('a stack trace names our sources', async () => {
  const url = JSON.stringify(new URL(`file://${join(folder, 'notify', 'run-failed.mjs')}`).href);
  const code = `
    const { handler } = await import(${url});
    await handler({}, { memoryLimitInMB: '512', getRemainingTimeInMillis: () => 60_000 }).catch((error) => console.log('= ' + JSON.stringify(error.stack)));
  `;
  const env = { PATH: process.env['PATH'], NODE_OPTIONS: '--enable-source-maps' };
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { env });
  assert.match(stdout, /^= .*lib\/runtime\/lambda\/events\.ts:\d+:\d+/m);
});

/**
 * Versions of the C and C++ libraries that Amazon Linux 2023 has, on which Lambda runs Node 24.
 * Source: docs.aws.amazon.com/linux/al2023/release-notes/all-packages-AL2023.html (glibc 2.34, gcc 11)
 */
const RUNTIME = { GLIBC: [2, 34], GLIBCXX: [3, 4, 29] } as const;

describe("DuckDB's native code asks for no newer libraries than Lambda has", () => {
  for (const architecture of ARCHITECTURES) {
    test(`for ${architecture}, where it was installed or fetched`, async () => {
      const binding = await findBinding((await sourcesOf(ROOT)).bindings, architecture);
      for (const file of binding === undefined ? [] : ['duckdb.node', 'libduckdb.so']) {
        const text = await readFile(join(binding ?? '', file), 'latin1');
        for (const [library, most] of Object.entries(RUNTIME)) {
          const asked = [...text.matchAll(new RegExp(`\\0${library}_(\\d[\\d.]*)(?=\\0)`, 'g'))].map(
            ([, v]) => v ?? '',
          );
          assert.ok(asked.length > 0, `${file} asks for no ${library}`);
          assert.deepEqual(new Set(asked.filter((version) => isNewer(version, most))), new Set());
        }
      }
    });
  }
});

function isNewer(version: string, most: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  const at = most.findIndex((part, place) => (parts[place] ?? 0) !== part);
  return at >= 0 && (parts[at] ?? 0) > (most[at] ?? 0);
}
