import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { entriesOf } from '../../lib/bundle/manifest.ts';
import { PACKAGE_NAME, packageManifest } from '../../lib/package-files.ts';
import { MANIFEST, reachedFrom } from './reached.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const TEXT = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { bin } = entriesOf(TEXT);
const DEFINE = 'lib/define/index.ts';
const namesOf = (record: Readonly<Record<string, string>>): readonly string[] => Object.keys(record).sort();

const CDK = ['aws-cdk', 'aws-cdk-lib', 'constructs'];

describe('who installs the package', () => {
  test('gets what the command line loads, and nothing that only bundles or tests load', () => {
    const { packages } = reachedFrom([...bin, DEFINE]);
    // The clients of servers are loaded by those pipelines alone that name them.
    const chosen = namesOf(MANIFEST.peerDependencies).filter((name) => !CDK.includes(name));
    assert.deepEqual(packages, [...namesOf(MANIFEST.dependencies), ...chosen].sort());
  });

  test('loads nothing but the package itself for a pipeline file', () => {
    const { files, packages } = reachedFrom([DEFINE]);
    assert.deepEqual(packages, []);
    assert.deepEqual(
      files.filter((file) => !/^lib\/(define|core)\//.test(file)),
      [],
    );
  });

  test('needs for the CDK what is a peer, and nothing else that is not there', () => {
    const there = [...namesOf(MANIFEST.dependencies), ...namesOf(MANIFEST.peerDependencies)];
    const { packages } = reachedFrom(['lib/infra/index.ts']);
    assert.deepEqual(
      packages.filter((name) => !there.includes(name)),
      [],
    );
    assert.ok(packages.includes('aws-cdk-lib'));
  });

  test('needs the CDK, and the clients of servers, only where they are used: peers that may be left out, and are there for development', () => {
    for (const peer of namesOf(MANIFEST.peerDependencies)) {
      assert.equal(MANIFEST.peerDependenciesMeta[peer]?.optional, true, peer);
      assert.ok(MANIFEST.devDependencies[peer], peer);
      assert.equal(MANIFEST.dependencies[peer], undefined, peer);
    }
    assert.deepEqual(namesOf(MANIFEST.peerDependencies), ['@platformatic/kafka', ...CDK, 'pg', 'pg-copy-streams']);
  });

  test('gets these folders, beside README.md, LICENSE and package.json', () => {
    assert.deepEqual(MANIFEST.files, [
      'dist/bin',
      'dist/functions',
      'dist/lib',
      'dist/pipelines',
      'spark',
      'statemachines',
      'templates',
    ]);
  });

  test('needs Node 22', () => assert.equal(MANIFEST.engines.node, '>=22'));
});

test('pipelines import the package by its name, and nothing of it by a path', () => {
  const found = globSync('{pipelines,bench,templates,test}/**/pipeline.ts', { cwd: ROOT });
  assert.ok(found.length > 10);
  const importers = found.filter((file) => /from '[./]*\/lib\//.test(readFileSync(join(ROOT, file), 'utf8')));
  assert.deepEqual(importers, []);
});

test('the package knows itself', () => {
  assert.equal(MANIFEST.name, PACKAGE_NAME);
  assert.deepEqual(packageManifest(), JSON.parse(TEXT));
});
