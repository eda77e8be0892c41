import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Crash } from '../ports/faults.ts';
import { onStore } from '../support/folder-lake.ts';
import { ITEMS, openAt, openShop } from '../support/moved-lake.ts';

describe('a lake that was moved', () => {
  test('goes on with the run that died at the old place, wherever it died', async () => {
    const whole = await openShop();
    await whole.land('rows', 'c.csv', 'id,amount\n3,30\n');
    await whole.land('events', 'c.csv', 'id,amount\n1,30\n');
    assert.equal((await whole.lake.run({ runId: 'c' })).status, 'SUCCEEDED');
    const expected = [
      await whole.lake.rows('shop_silver.items', ITEMS),
      await whole.lake.rows(
        'shop_silver.latest',
        'SELECT id, amount, valid_from, valid_to, is_current FROM t ORDER BY ALL',
      ),
      await whole.lake.rows('shop_gold.totals'),
    ];
    whole.close();
    for (const about of [
      'level-0/results',
      'tables/silver.items',
      'silver/shop/latest/metadata/v',
      'ops/shop/files/metadata/v',
    ]) {
      const { lake, root, land, close } = await openShop();
      await land('rows', 'c.csv', 'id,amount\n3,30\n');
      await land('events', 'c.csv', 'id,amount\n1,30\n');
      let died = false;
      const dying = lake.reopen((deps) =>
        onStore(deps, {
          ...deps.store,
          async write(key, bytes, condition) {
            if (died) throw new Crash('the process has ended');
            const outcome = await deps.store.write(key, bytes, condition);
            died = key.includes(about);
            return outcome;
          },
        }),
      );
      await dying.answer({ runId: 'c' }).catch(() => undefined);
      assert.ok(died, about);
      const next = join(lake.scratch, 'next');
      renameSync(root, next);
      const moved = openAt(lake, next);
      const answer = await moved.answer({ runId: 'c' });
      assert.ok(answer.kind === 'ended' && answer.result.status === 'SUCCEEDED', `${about}: ${JSON.stringify(answer)}`);
      const found = [
        await moved.rows('shop_silver.items', ITEMS),
        await moved.rows(
          'shop_silver.latest',
          'SELECT id, amount, valid_from, valid_to, is_current FROM t ORDER BY ALL',
        ),
        await moved.rows('shop_gold.totals'),
      ];
      assert.deepEqual(found, expected, about);
      close();
    }
  });
});
