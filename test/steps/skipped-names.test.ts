import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { addSkipped, NONE_SKIPPED } from '../../lib/core/objects.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { type FolderLake, openFolderLake } from '../support/folder-lake.ts';
import type { TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,amount\n';

function shop(ignore: readonly string[] = []): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'bigint', amount: 'bigint' }, ignore }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  };
}

async function withLake(pipeline: TestPipeline, use: (lake: FolderLake) => Promise<void>): Promise<void> {
  const opened = await openFolderLake(pipeline);
  try {
    await use(opened);
  } finally {
    opened.close();
  }
}

async function ids({ lake }: FolderLake): Promise<readonly unknown[]> {
  return (await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY id')).map((row) => row['id']);
}

const named = ({ names }: { readonly names: readonly { readonly name: string; readonly reason: string }[] }) =>
  names.map(({ name, reason }) => `${name.replace('bronze/shop/', '')}: ${reason}`).sort();

describe('names in bronze that are no files of a source', () => {
  test('are skipped by name, and the rest is read', async () => {
    await withLake(shop(), async (opened) => {
      await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
      await opened.land('orders', 'day/b.csv', `${HEADER}2,20\n`);
      const folder = dirname(opened.path('orders', 'a.csv'));
      await writeFile(Buffer.concat([Buffer.from(join(folder, 'caf')), Buffer.from([0xe9, 0x2e, 0x63])]), HEADER);
      await mkdir(Buffer.concat([Buffer.from(join(folder, 'd')), Buffer.from([0xff])]));
      await symlink('nowhere.csv', join(folder, 'dangling.csv'));
      await symlink('loop.csv', join(folder, 'loop.csv'));
      await symlink('..', join(folder, 'day', 'above'));
      await promisify(execFile)('mkfifo', [join(folder, 'pipe.csv')]);
      await writeFile(join(folder, '.strata-left.tmp'), HEADER);
      await writeFile(join(folder, '..', 'astray.csv'), HEADER);
      await mkdir(join(folder, '..', 'ordres'));
      const plan = await planRun(opened.lake.deps, 'shop');
      const result = await opened.lake.run();
      assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
      assert.deepEqual(await ids(opened), [1, 2]);
      assert.deepEqual(named(result.skipped), [
        'astray.csv: it lies in no folder of a source',
        'orders/.strata-left.tmp: names that begin with .strata- are kept for Strata',
        'orders/caf\\xe9.c: its name is not UTF-8',
        'orders/d\\xff: its name is not UTF-8',
        'orders/dangling.csv: it is a link that leads nowhere',
        'orders/day/above/: it is a link back to a folder that it lies in',
        'orders/loop.csv: it cannot be read (ELOOP)',
        'orders/pipe.csv: it is no file but a pipe, a socket or a device',
        'ordres/: shop has no source of that name',
      ]);
      assert.deepEqual(plan.skipped, result.skipped);
      const again = await opened.lake.answer();
      assert.ok(again.kind === 'nothing');
      assert.deepEqual(again.skipped, result.skipped);
    });
  });

  test('are counted, and the first ten named', () => {
    let skipped = NONE_SKIPPED;
    for (let at = 0; at < 25; at += 1) skipped = addSkipped(skipped, { name: `${at}`, reason: 'r' });
    assert.equal(skipped.count, 25);
    assert.deepEqual(
      skipped.names.map(({ name }) => name),
      Array.from({ length: 10 }, (_, at) => `${at}`),
    );
  });

  test('that the source ignores are neither read nor named', async () => {
    await withLake(shop(['_temporary/**', '**/_SUCCESS', '*.tmp', 'pipe*']), async (opened) => {
      for (const file of ['_temporary/0/part.csv', '_SUCCESS', 'day/_SUCCESS', 'x.tmp', 'day/x.tmp', 'day/a.csv']) {
        await opened.land('orders', file, `${HEADER}${file === 'day/a.csv' ? 1 : 9},10\n`);
      }
      const folder = dirname(opened.path('orders', 'a'));
      await promisify(execFile)('mkfifo', [join(folder, 'pipe.csv')]);
      await symlink('nowhere', join(folder, '_temporary', 'dangling'));
      const result = await opened.lake.run();
      assert.deepEqual(result.skipped, { count: 0, names: [] });
      const files = await opened.lake.rows('shop_ops.files', 'SELECT key FROM t ORDER BY key');
      assert.deepEqual(
        files.map((row) => row['key']),
        ['bronze/shop/orders/day/a.csv', 'bronze/shop/orders/day/x.tmp'],
      );
    });
  });
});

const RUN = fileURLToPath(new URL('../support/run-as-other-user.ts', import.meta.url));
const unprivileged = process.getuid?.() === 0 ? false : 'only root can become a user without the right to read';

test('a file or folder that may not be read stays new, and the others are read', { skip: unprivileged }, async () => {
  await withLake(shop(), async (opened) => {
    await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
    await opened.land('orders', 'secret.csv', `${HEADER}2,20\n`);
    await opened.land('orders', 'closed/c.csv', `${HEADER}3,30\n`);
    await chmod(opened.path('orders', 'secret.csv'), 0);
    await chmod(opened.path('orders', 'closed'), 0);
    await promisify(execFile)('chmod', ['go+rX', dirname(opened.lake.scratch), opened.lake.scratch, opened.root]);
    const list = async (): Promise<{ keys: readonly string[]; skipped: readonly string[] }> =>
      JSON.parse((await promisify(execFile)(process.execPath, [RUN, opened.root])).stdout) as Awaited<
        ReturnType<typeof list>
      >;
    assert.deepEqual(await list(), {
      keys: ['bronze/shop/orders/a.csv'],
      skipped: [
        'bronze/shop/orders/closed/: it may not be read by this user (EACCES)',
        'bronze/shop/orders/secret.csv: it may not be read by this user (EACCES)',
      ],
      changed: [['bronze/shop/orders/secret.csv', 'unreadable']],
    });
    await opened.lake.run();
    assert.deepEqual(await ids(opened), [1, 2, 3]);
  });
});
