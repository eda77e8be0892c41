import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PROJECT, withoutRegistry } from '../bundle/binding-root.ts';
import { strataHere } from './child.ts';

let folder = '';
let restore: () => void;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-build-'));
  restore = withoutRegistry(folder);
});
after(async () => {
  restore();
  await rm(folder, { recursive: true, force: true });
});

test("build puts a project's compiled pipelines and the functions into one folder, in place of what was there", async () => {
  const [pipelines, out] = [join(PROJECT, 'pipelines'), join(folder, 'dist')];
  await mkdir(join(out, 'specs'), { recursive: true });
  await writeFile(join(out, 'specs', 'gone.json'), '');
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const ended = await strataHere(['build', '--pipelines', pipelines, '--out', out, '--arch', arch, '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  const answer = JSON.parse(ended.stdout) as { readonly pipelines: readonly string[]; readonly folder: string };
  assert.deepEqual(
    [answer.pipelines, answer.folder],
    [['crypto', 'hr', 'online_retail', 'retail', 'sales', 'transactions'], out],
  );
  assert.deepEqual((await readdir(out)).sort(), ['specs', arch].sort());
  const spec = JSON.parse(await readFile(join(out, 'specs', 'hr.json'), 'utf8')) as { name: string };
  assert.equal(spec.name, 'hr');
});

describe('what cannot be built is said before anything is removed', () => {
  const CASES: readonly (readonly [string, (out: string) => readonly string[], RegExp])[] = [
    ['an architecture', () => ['--arch', 'mips'], /argument 'mips' is invalid\. Allowed choices are arm64, x64, all/],
    ['no pipeline', () => ['--pipelines', folder], /no pipeline in .*: expected .*\/<name>\/pipeline\.ts/],
    ['no folder', () => ['--pipelines', join(PROJECT, 'package.json')], /--pipelines/],
  ];
  for (const [what, args, message] of CASES) {
    test(what, async () => {
      const out = join(folder, 'kept');
      await cp(join(PROJECT, 'statemachines'), out, { recursive: true });
      const ended = await strataHere(['build', '--out', out, ...args(out)]);
      assert.equal(ended.code, 1);
      assert.match(ended.stderr, message);
      assert.deepEqual(await readdir(out), await readdir(join(PROJECT, 'statemachines')));
    });
  }
});
