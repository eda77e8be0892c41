import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { openAwsLake } from './aws-lake.ts';
import { openCliLake } from './lake.ts';

const aws = openAwsLake();
beforeEach(() => aws.reset());
const lake = openCliLake(
  'shop',
  `{ name: 'shop', sources: { orders: csv({ columns: { id: 'bigint' } }) }, silver: { orders: { from: 'orders', mode: append() } }, gold: {} }`,
);
after(() => lake.close());

function file(name: string, text: string): string {
  const path = join(lake.root, '..', name);
  writeFileSync(path, text);
  return path;
}

describe('land --aws', () => {
  test('uploads to the bronze bucket, and answers as land does', async () => {
    const [a, b] = [file('a.csv', 'id\n1\n'), file('b.csv', 'id\n22\n')];
    aws.put('bronze-1/bronze/shop/orders/b.csv', 'before');
    const answer = await lake.json(0, 'land', '--aws', 'shop', 'orders', a, b);
    assert.deepEqual(answer, {
      pipeline: 'shop',
      source: 'orders',
      files: [
        { file: a, key: 'bronze/shop/orders/a.csv', bytes: 5, status: 'landed' },
        { file: b, key: 'bronze/shop/orders/b.csv', bytes: 6, status: 'replaced' },
      ],
    });
    const bytes = [...aws.objects].map(([path, content]) => [path, Buffer.from(content).toString()]);
    assert.deepEqual(Object.fromEntries(bytes), {
      'bronze-1/bronze/shop/orders/a.csv': 'id\n1\n',
      'bronze-1/bronze/shop/orders/b.csv': 'id\n22\n',
    });
  });

  test('says how to wait for the run that the upload starts', async () => {
    const { code, stdout } = await lake.run(
      'land',
      '--aws',
      'shop',
      'orders',
      file('a.csv', 'id\n1\n'),
      '--stage',
      'dev',
    );
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^landed 1 file, 5 B, in bronze\/shop\/orders\/\n\nthe upload starts a run by itself; .*:\n {2}\S.*strata.* run --aws shop --stage dev /,
    );
    assert.deepEqual([...aws.objects.keys()], ['dev-bronze/bronze/shop/orders/a.csv']);
  });

  const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown source', ['--aws', 'shop', 'order', 'x'], /has no source "order"/],
    ['a file that is missing', ['--aws', 'shop', 'orders', 'nowhere.csv'], /nowhere\.csv: file: got nothing/],
    [
      'a stage that is not deployed',
      ['--aws', 'shop', 'orders', file('c.csv', ''), '--stage', 'x'],
      /strata-x-lake is not deployed/,
    ],
    ['a stage without --aws', ['shop', 'orders', 'x', '--stage', 'dev'], /^--stage without --aws/],
  ];
  for (const [name, args, message] of REFUSED) {
    test(`${name} exits 1 and uploads nothing`, async () => {
      const { code, stderr } = await lake.run('land', ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.equal(aws.objects.size, 0);
    });
  }
});
