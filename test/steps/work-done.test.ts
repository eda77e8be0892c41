import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { append, csv, definePipeline, month, scd2 } from '../../lib/define/index.ts';
import { openTestLake, type TestPipeline } from '../support/test-lake.ts';
import { type Work, watchWork } from '../support/watch-work.ts';

const GOLDEN = new URL('work-done.json', import.meta.url);

/** A table that streams, one that tells rows apart by key, one with history, and a figure over them. */
const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      events: csv({ columns: { id: { type: 'bigint', required: true }, at: 'timestamp', kind: 'string' } }),
      orders: csv({
        columns: { id: { type: 'bigint', required: true }, amount: { type: 'int', min: 0 } },
        key: ['id'],
      }),
      people: csv({ columns: { id: { type: 'bigint', required: true }, name: 'string', changed: 'timestamp' } }),
    },
    silver: {
      events: { from: 'events', mode: append(), metadata: ['row_hash', 'source_file'], partitionBy: [month('at')] },
      orders: { from: 'orders', mode: append({ dedupe: { key: 'id' } }) },
      people: { from: 'people', mode: scd2({ key: 'id', sequence: 'changed' }) },
    },
    gold: { kinds: { sql: 'kinds.sql' } },
  }),
  sql: { 'kinds.sql': 'SELECT kind, count(*)::BIGINT AS events FROM silver.events GROUP BY kind' },
};

const ROWS = 1_000;

/** Every hundredth row of events and orders fails. */
function rowsOf(from: number): Readonly<Record<'events' | 'orders' | 'people', string>> {
  const ids = Array.from({ length: ROWS }, (_, i) => from + i);
  const day = (id: number): string => `2026-0${1 + (id % 2)}-01 00:00:00`;
  const fails = (id: number): boolean => id % 100 === 50;
  return {
    events: `id,at,kind\n${ids.map((id) => `${fails(id) ? 'x' : id},${day(id)},kind-${id % 7}\n`).join('')}`,
    orders: `id,amount\n${ids.map((id) => `${id},${fails(id) ? -1 : id}\n`).join('')}`,
    people: `id,name,changed\n${ids.map((id) => `${id % 100},name-${id},2026-01-01 00:${String(id % 60).padStart(2, '0')}:00\n`).join('')}`,
  };
}

/**
 * What runs do for the same files, in counts: one that grows where nothing asks for it is work done twice. UPDATE_GOLDEN=1
 * writes the file anew; the difference is then read before it is committed.
 */
test('runs over fixed files open the sessions, run the statements, scan the rows and move the bytes that are written down', async () => {
  const given = await openTestLake(PIPELINE);
  const { watch, take } = watchWork();
  const lake = given.reopen((deps) => watch({ ...deps, settings: { ...deps.settings, threads: 1 } }));
  const done: Record<string, Work> = {};
  const land = async (file: string, from: number): Promise<void> => {
    for (const [source, content] of Object.entries(rowsOf(from))) await lake.land(source, file, content);
  };
  await land('a.csv', 0);
  const first = await lake.run({ runId: 'first' });
  done['first load'] = take();
  await lake.answer({ runId: 'none' });
  done['nothing new'] = take();
  await land('b.csv', ROWS);
  await lake.run({ runId: 'second' });
  done['as many rows again'] = take();
  // Events later than all of the log, for which it is not opened.
  const later = Array.from({ length: 10 }, (_, id) => `${id},other-${id},2026-02-01 00:00:00\n`).join('');
  await lake.land('people', 'c.csv', `id,name,changed\n${later}`);
  await lake.run({ runId: 'third' });
  done['later events of ten keys'] = take();
  const counts = first.accounting['events'];
  assert.deepEqual([counts?.read, counts?.accepted, counts?.quarantined], [ROWS, ROWS - 10, 10]);
  const text = `${JSON.stringify(done, null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(GOLDEN, text);
  assert.deepEqual(JSON.parse(text), JSON.parse(await readFile(GOLDEN, 'utf8')));
  given.close();
});
