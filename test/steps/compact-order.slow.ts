import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { currentSchema, fieldByName } from '../../lib/iceberg/schema.ts';
import { decodeValue } from '../../lib/iceberg/values.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { compact, filesOf } from './compact-lake.ts';

/** Rows of a partition of which a worker takes a part are laid out as if one had taken all. */

const FILES = 8;
/** Those of a row group, which is the least that a file has where rows are split. */
const ROWS = 122_880;
const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

test('an order of more files than one worker takes is laid out in rounds, and told once', async () => {
  const whole = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { rows: csv({ columns: { id: 'bigint', note: 'string' } }) },
      silver: { items: { from: 'rows', mode: append() } },
    }),
  });
  opened.push(whole);
  for (let n = 0; n < FILES; n += 1) {
    const lines = Array.from({ length: ROWS }, (_, i) => {
      const id = ((n * ROWS + i) * 7_919) % (FILES * ROWS);
      return `${id},${(id * 104_729) % 999_983}${(id * 7_907) % 999_979}`;
    });
    await whole.land('rows', `${n}.csv`, `id,note\n${lines.join('\n')}\n`);
    await whole.run({ runId: `run-${n}` });
  }
  const before = await filesOf(whole, 'shop_silver.items');
  assert.equal(before.length, FILES);
  const bytes = Math.max(...before.map((file) => Number(file.bytes)));
  // Four files are what one worker takes.
  const lake = whole.reopen((deps) => ({
    ...deps,
    specs: async (name) => {
      const spec = await deps.specs(name);
      return { ...spec, settings: { ...spec.settings, unitBytes: 1 } };
    },
  }));
  const sum = 'SELECT count(*) AS n, sum(hash(id, note)) AS hashes FROM t';
  const rows = await lake.rows('shop_silver.items', sum);
  const target_mb = (bytes * 1.02) / 2 ** 20;
  const result = await compact(lake, { table: 'shop_silver.items', sort: ['id'], target_mb });
  const after = await filesOf(lake, 'shop_silver.items');
  const { id } = fieldByName(currentSchema((await lake.metadata('shop_silver.items')) ?? assert.fail()), 'id') ?? {};
  const widths = after.map(({ lowerBounds, upperBounds, rows: own }) => {
    const [low, high] = [lowerBounds, upperBounds].map((bounds) => bounds.get(id ?? 0) ?? assert.fail());
    return (
      (Number(decodeValue('long', high ?? assert.fail())) - Number(decodeValue('long', low ?? assert.fail())) + 1) /
      Number(own)
    );
  });
  // Numbers follow each other without a gap: after one round a file has every second one of its part.
  const most = Math.max(...widths);
  assert.ok(after.length > 4 && most < 1.2, `a file lies over ${most} times its rows; ${after.length} files`);
  assert.equal(result.rounds, 2);
  const [told] = result.tables;
  assert.deepEqual(
    [told?.files, told?.rows, told?.files_after, told?.bytes_after, told?.reasons],
    [FILES, FILES * ROWS, after.length, after.reduce((all, file) => all + Number(file.bytes), 0), { order: FILES }],
  );
  assert.deepEqual(await lake.rows('shop_silver.items', sum), rows);
});
