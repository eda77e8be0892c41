import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { compareClocks } from '../../lib/core/clock-skew.ts';
import type { Finding } from '../../lib/core/finding.ts';
import { checkDuckDb, checkLake, checkNode } from '../../lib/runtime/check-machine.ts';
import { strataHere } from './child.ts';
import { openCliLake } from './lake.ts';

const lake = openCliLake(
  'shop',
  `{
  name: 'shop',
  sources: { rows: csv({ columns: { id: 'int' } }) },
  silver: { items: { from: 'rows', mode: append() } },
}`,
);
after(() => lake.close());

type Answer = { readonly findings: readonly Finding[] };
const statuses = ({ findings }: Answer): readonly string[] => findings.map(({ check, status }) => `${check} ${status}`);

describe('strata doctor', () => {
  test('has a line for all that runs need, and makes no folder', async () => {
    assert.deepEqual(statuses(await lake.json(0, 'doctor')), [
      'node ok',
      'duckdb ok',
      'pipeline shop ok',
      'lake folder ok',
    ]);
    assert.equal(existsSync(lake.root), false);
    mkdirSync(lake.root);
    assert.deepEqual(statuses(await lake.json(0, 'doctor')).slice(-2), ['lake folder ok', 'clock ok']);
    assert.deepEqual(readdirSync(lake.root), []);
  });

  test('ends with 2 when something will not work, and says what to do', async () => {
    lake.add('bad', "{ name: 'bad', sources: {}, silver: { items: { from: 'rows', mode: append() } } }");
    const { code, stdout } = await lake.run('doctor');
    assert.equal(code, 2);
    assert.match(stdout, /^ok {4}node +v24\./m);
    assert.match(stdout, /^fail {2}pipeline bad {3}\d mistakes?\n +-> put that right: .* compile bad --root /m);
    assert.match(stdout, /^ok {4}pipeline shop {2}compiles\n/m);
  });

  test('warns where there is no pipeline', async () => {
    const { code, stdout } = await strataHere(['doctor', '--json', '--root', lake.root, '--pipelines', '/nowhere']);
    const [, , none] = (JSON.parse(stdout) as Answer).findings;
    assert.equal(code, 0);
    assert.deepEqual([none?.check, none?.status], ['pipelines', 'warn']);
    assert.match(none?.advice ?? '', /--pipelines, or begin: .* init lake/);
  });

  test('is for this machine where --aws is not given', async () => {
    const { code, stderr } = await lake.run('doctor', '--stage', 'dev');
    assert.deepEqual([code, stderr.startsWith('--stage without --aws')], [1, true]);
  });
});

test('Node: the release of the functions is best, later and earlier ones work, and before 22 none does', () => {
  const found = ['v24.1.0', 'v22.20.0', 'v26.0.0', 'v20.20.2'].map(checkNode);
  assert.deepEqual(
    found.map(({ status, found: version }) => [version, status]),
    [
      ['v24.1.0', 'ok'],
      ['v22.20.0', 'warn'],
      ['v26.0.0', 'warn'],
      ['v20.20.2', 'fail'],
    ],
  );
  assert.match(found[3]?.advice ?? '', /node@24/);
});

test('DuckDB whose native code is missing fails by name of the package', async () => {
  const { status, found, advice } = await checkDuckDb({}, async () => {
    throw new Error("Cannot find module '@duckdb/node-bindings-linux-x64/duckdb.node'\nRequire stack:");
  });
  assert.equal(status, 'fail');
  assert.match(found, /^does not load on \w+-\w+: Cannot find module '[^\n]*'$/);
  assert.match(advice ?? '', /npm install once more, .*@duckdb\/node-bindings-/);
});

test('a lake folder that is a file, or below one, fails', async () => {
  const file = join(lake.root, '..', 'a-file');
  writeFileSync(file, '');
  for (const path of [file, join(file, 'below')]) {
    const [finding, ...more] = await checkLake(path);
    assert.deepEqual([finding?.status, more], ['fail', []]);
    assert.match(finding?.found ?? '', /ENOTDIR/);
    assert.match(finding?.advice ?? '', /--root/);
  }
});

test('clocks that agree are ok, then a warning, and beyond what works a failure', async () => {
  const at = (seconds: number): Finding => compareClocks(new Date(seconds * 1000), new Date(0), 'AWS', 300_000);
  assert.deepEqual(
    [at(5), at(-4)].map(({ status }) => status),
    ['ok', 'ok'],
  );
  assert.deepEqual([at(60).status, at(60).found], ['warn', '60 s ahead of AWS']);
  assert.deepEqual([at(-301).status, at(-301).found], ['fail', '301 s behind AWS']);
  mkdirSync(lake.root, { recursive: true });
  const [, clock] = await checkLake(lake.root, () => new Date(Date.now() + 3_600_000));
  assert.deepEqual([clock?.check, clock?.status], ['clock', 'fail']);
  assert.match(clock?.advice ?? '', /time server/);
});
