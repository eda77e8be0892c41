import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import * as repository from '../lib/package-files.ts';

const ROOT = resolve(import.meta.dirname, '..');
let project = '';
before(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), 'strata-package-')));
});
after(() => rm(project, { recursive: true, force: true }));

test('in the repository the files are those of the repository', () => {
  assert.equal(repository.packageFolder(), ROOT);
  assert.equal(repository.stateMachineFile('medallion'), join(ROOT, 'statemachines', 'medallion.asl.json'));
  assert.equal(repository.sparkScript(), join(ROOT, 'spark', 'statement.py'));
  assert.equal(repository.functionSources(), join(ROOT, 'lambdas'));
});

test('compiled and installed they are those of the package, and its dependencies lie there or above', async () => {
  const folder = join(project, 'node_modules', 'strata');
  const compiled = join(folder, 'dist', 'lib');
  await mkdir(compiled, { recursive: true });
  await writeFile(join(project, 'package.json'), '{}');
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  // Node strips no types inside node_modules.
  const text = await readFile(join(ROOT, 'lib', 'package-files.ts'), 'utf8');
  await writeFile(join(compiled, 'package-files.js'), stripTypeScriptTypes(text));
  const installed = (await import(join(compiled, 'package-files.js'))) as typeof repository;
  assert.equal(installed.packageFolder(), folder);
  assert.equal(installed.stateMachineFile('medallion'), join(folder, 'statemachines', 'medallion.asl.json'));
  assert.equal(installed.shippedFunctions(), join(folder, 'dist', 'functions'));
  const folders = installed.dependencyFolders();
  assert.deepEqual(folders.slice(0, 3), [
    join(folder, 'node_modules'),
    join(project, 'node_modules', 'node_modules'),
    join(project, 'node_modules'),
  ]);
});
