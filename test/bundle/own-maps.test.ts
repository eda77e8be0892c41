import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { SourceMap as NodeMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import { mapOwnCode, ownCode, type SourceMap } from '../../lib/bundle/own-maps.ts';

test('a map names our lines as before, and those of others no more', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strata-maps-'));
  try {
    const other = join(folder, 'node_modules', 'other');
    await mkdir(other, { recursive: true });
    const body = (name: string, count: number): string =>
      Array.from({ length: count }, (_, n) => `export function ${name}${n}(x) {\n  return x + ${n};\n}`).join('\n');
    await writeFile(join(other, 'index.js'), body('theirs', 40));
    await writeFile(
      join(folder, 'ours.js'),
      `import * as others from 'other';\n${body('ours', 40)}\nconsole.log(others);`,
    );
    await writeFile(join(folder, 'start.js'), "import * as ours from './ours.js';\nconsole.log(ours);");
    for (const minifyWhitespace of [false, true]) {
      const out = join(folder, `out-${minifyWhitespace}`);
      const options = { bundle: true, minifyWhitespace, sourcemap: 'linked', sourcesContent: false } as const;
      await build({ ...options, entryPoints: [join(folder, 'start.js')], outdir: out, logLevel: 'error' });
      const path = join(out, 'start.js.map');
      const before = JSON.parse(await readFile(path, 'utf8')) as SourceMap;
      await mapOwnCode(out);
      const after = JSON.parse(await readFile(path, 'utf8')) as SourceMap;
      assert.deepEqual(after.sources, before.sources);
      const [was, is] = [before, after].map(
        (map) =>
          new NodeMap({ ...map, sources: [...map.sources], file: '', names: [], sourcesContent: [], sourceRoot: '' }),
      );
      const lines = (await readFile(join(out, 'start.js'), 'utf8')).split('\n');
      const counted = { ours: 0, theirs: 0 };
      for (const [line, text] of lines.entries()) {
        for (const { index } of text.matchAll(/\w+/g)) {
          const origin = was?.findEntry(line, index);
          const found = is?.findEntry(line, index);
          if (origin === undefined || !('originalSource' in origin)) continue;
          const theirs = origin.originalSource.includes('node_modules');
          counted[theirs ? 'theirs' : 'ours'] += 1;
          if (theirs) assert.equal((found as { originalSource?: string } | undefined)?.originalSource, undefined, text);
          else assert.deepEqual(found, origin);
        }
      }
      assert.ok(counted.ours > 100 && counted.theirs > 100, JSON.stringify(counted));
      assert.ok(after.mappings.length < before.mappings.length * 0.7);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a map without code of others stays as it is', () => {
  const map = { version: 3, sources: ['../lib/a.ts', '../lib/b.ts'], mappings: 'AAAA,SAAS;;AACA,gBCDT;' };
  assert.deepEqual(ownCode(map), map);
});

test('a map of code of others alone says nothing of it but its files', () => {
  const map = { version: 3, sources: ['../node_modules/other/index.js'], mappings: 'AAAA,SAAS;AACT' };
  assert.deepEqual(ownCode(map), { ...map, mappings: ';' });
});
