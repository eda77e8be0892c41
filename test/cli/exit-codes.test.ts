import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openCliLake } from './lake.ts';

type Document = { readonly status: string; readonly rejected_files: readonly { readonly file: string }[] };

describe('how a run ends', () => {
  const lake = openCliLake(
    'p',
    `{ name: 'p', sources: { s: csv({ columns: { a: 'int' } }) }, silver: { s: { from: 's' } } }`,
  );
  after(() => lake.close());
  const bronze = join(lake.root, 'bronze/p/s');
  const put = (name: string, text: string): void => {
    mkdirSync(bronze, { recursive: true });
    writeFileSync(join(bronze, name), text);
  };

  test('with 0 and a line on stderr when a file was rejected, whose name drives no terminal', async () => {
    put('good.csv', 'a\n1\n');
    put('bad\u001b[31m\u202e.csv.gz', 'no gzip');
    const text = await lake.run('run', 'p', '--run-id', 'r1');
    assert.equal(text.code, 0);
    assert.match(text.stderr, /^1 file rejected, and not read: bronze\/p\/s\/bad\\u001b\[31m\\u202e\.csv\.gz$/m);
    assert.ok(![...text.stdout, ...text.stderr].some((char) => '\u001b\u202e'.includes(char)));
    const json = await lake.run('run', 'p', '--run-id', 'r1', '--json');
    assert.equal(json.code, 0);
    assert.match(json.stderr, /1 file rejected/);
    assert.ok(![...json.stdout].some((char) => '\u001b\u202e'.includes(char)));
    assert.equal(
      (JSON.parse(json.stdout) as Document).rejected_files[0]?.file,
      'bronze/p/s/bad\u001b[31m\u202e.csv.gz',
    );
  });

  test('with 2 under --strict, also when the run had ended before and in a dry run', async () => {
    assert.equal((await lake.json<Document>(2, 'run', 'p', '--run-id', 'r1', '--strict')).status, 'SUCCEEDED');
    put('worse.csv.gz', 'no gzip either');
    assert.equal((await lake.json<Document>(2, 'run', 'p', '--dry-run', '--strict')).status, 'DRY_RUN');
    const { code, stderr } = await lake.run('run', 'p', '--strict');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /1 file rejected, and not read: bronze\/p\/s\/worse\.csv\.gz \(--strict makes this a failure\)/,
    );
    assert.equal((await lake.run('run', 'p', '--strict')).code, 0);
  });

  test('with 2 when it had begun, whatever the error is called', async () => {
    put('later.csv', 'a\n2\n');
    mkdirSync(join(lake.root, 'ops/p/_runs/r2'));
    writeFileSync(join(lake.root, 'ops/p/_runs/r2/tables'), 'a file where a folder should be');
    const { code, stderr } = await lake.run('run', 'p', '--run-id', 'r2');
    assert.equal(code, 2);
    assert.match(stderr, /run r2 of p failed, and published nothing\nInvalidInput: cannot .* a file stands where/);
    assert.equal((await lake.run('run', 'p', '--run-id', 'r2')).code, 2);
  });

  test('with 1 when what was asked for is wrong, and nothing begins', async () => {
    const wrong = [
      ['run', 'p', '--run-id', 'a b'],
      ['run', 'q'],
      ['run', 'p', '--wait', 'soon'],
      ['reprocess', 'p', '--source', 'none', '--file', 'x.csv'],
    ];
    for (const args of wrong) {
      const { code, stdout, stderr } = await lake.run(...args);
      assert.deepEqual([code, stdout], [1, ''], args.join(' '));
      assert.notEqual(stderr, '');
    }
  });

  test('with 1 where a lake of another place would be changed, which one who only asks is not told', async () => {
    const asked = ['switch', 'p_gold.none', '--to', 'other', '--location-base', 's3://lake'];
    const [real, dry] = [await lake.run(...asked), await lake.run(...asked, '--dry-run')];
    assert.deepEqual([real.code, dry.code], [1, 1]);
    assert.match(real.stderr, /^the lake at .* was made without a location base/);
    assert.match(dry.stderr, /^no gold model makes p_gold\.none/);
  });

  test('of a site with 1 where nothing can be told of a pipeline, and the others are in it', async () => {
    const out = join(lake.root, '..', 'site');
    assert.equal((await lake.run('docs', '--out', out)).code, 0);
    lake.add('broken', '{');
    cpSync(join(lake.root, 'silver/p'), join(lake.root, 'silver/broken'), { recursive: true });
    const { code, stdout, stderr } = await lake.run('docs', '--out', out);
    assert.deepEqual([code, stdout.split(' (')[0]], [1, join(out, 'index.html')]);
    assert.match(stderr, /broken.pipeline\.ts cannot be loaded/);
    assert.ok(existsSync(join(out, 'pipelines', 'p.html')));
  });
});
