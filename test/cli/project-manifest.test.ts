import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { dependencySpec, renderProjectManifest } from '../../lib/cli/project-manifest.ts';

const OWN = {
  version: '1.2.3',
  engines: { node: '>=22' },
  devDependencies: { constructs: '10.0.0', typescript: '7.0.2' },
};
const manifestOf = (folder: string, aws = false): Record<string, unknown> =>
  JSON.parse(renderProjectManifest(folder, { spec: '1.2.3', aws }, OWN)) as Record<string, unknown>;

describe('package.json of a project', () => {
  const NAMES: readonly (readonly [string, string])[] = [
    ['lake', 'lake'],
    ['My Lake', 'my-lake'],
    ['.hidden', 'hidden'],
    ['_x', 'x'],
    ['Süd', 's-d'],
    ['湖', 'lake'],
  ];
  for (const [folder, name] of NAMES) {
    test(`in ${folder} has the name ${name}`, () => assert.equal(manifestOf(folder)['name'], name));
  }

  test('has the release that made it, the compiler that it was tried with, and commands for its parts', () => {
    const { scripts, ...rest } = manifestOf('lake') as { scripts: Record<string, string> };
    assert.deepEqual(rest, {
      name: 'lake',
      private: true,
      type: 'module',
      engines: { node: '>=22' },
      dependencies: { '@strata-lake/strata': '1.2.3' },
      devDependencies: { typescript: '7.0.2' },
    });
    assert.deepEqual(Object.keys(scripts), ['start', 'test']);
  });
});

test('package.json of a project that can be deployed has the CDK', () => {
  assert.deepEqual(manifestOf('lake', true)['devDependencies'], {
    '@types/node': '*',
    'aws-cdk': '*',
    'aws-cdk-lib': '*',
    constructs: '10.0.0',
    typescript: '7.0.2',
  });
});

describe('what a project depends on', () => {
  const home = mkdtempSync(join(tmpdir(), 'strata-spec-'));
  after(() => rmSync(home, { recursive: true }));
  const CASES: readonly (readonly [string, string | undefined, string])[] = [
    ['a tarball beside', 'file:../strata.tgz', 'file:../../strata.tgz'],
    ['a tarball within', 'file:strata.tgz', 'file:../strata.tgz'],
    ['a tarball by its path alone', './strata.tgz', 'file:../strata.tgz'],
    ['a tarball of the web', 'https://example.com/strata.tgz', 'https://example.com/strata.tgz'],
    ['a repository', 'git+ssh://git@example.com/strata.git', 'git+ssh://git@example.com/strata.git'],
    ['a range of releases', '^1.0.0', '1.2.3'],
    ['a package.json without it', undefined, '1.2.3'],
  ];
  for (const [at, [what, asked, spec]] of CASES.entries()) {
    test(`is, installed from ${what}: ${spec}`, () => {
      const project = join(home, String(at));
      mkdirSync(project);
      const dependencies = asked === undefined ? {} : { '@strata-lake/strata': asked };
      writeFileSync(join(project, 'package.json'), JSON.stringify({ dependencies }));
      const installed = join(project, 'node_modules', '@strata-lake', 'strata');
      assert.equal(dependencySpec(installed, join(project, 'lake'), OWN), spec);
    });
  }

  test('is the repository while its sources run', () => {
    assert.equal(dependencySpec('/src/strata', '/src/lake', OWN), 'file:../strata');
    assert.equal(dependencySpec('/src/strata', '/src', OWN), 'file:./strata');
  });

  test('is the release where no project installed it', () => {
    assert.equal(dependencySpec('/nowhere/lib/node_modules/@strata-lake/strata', '/lake', OWN), '1.2.3');
  });
});
