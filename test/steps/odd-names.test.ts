import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline, identity, replace, upsert } from '../../lib/define/index.ts';
import { queryRows } from '../../lib/query/select.ts';
import { planFiles } from '../../lib/table/read.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** Names and values that mean something to the machinery are still only names and values. */

async function withLake(definition: unknown, use: (lake: TestLake) => Promise<void>): Promise<void> {
  const pipeline: TestPipeline = { name: 'odd', definition };
  const lake = await openTestLake(pipeline);
  try {
    await use(lake);
  } finally {
    lake.close();
  }
}

const NUMBERS = csv({ columns: { RowId: { type: 'bigint', required: true }, word: 'string', size: 'int' } });
const WORDS = 'RowId,word,size\n7,a,1\n7,a,1\n0,b,2\n2,b,2\n1,c,x\n0,b,2\n';

test('a source column called rowid is not the number of a row', async () => {
  const definition = definePipeline({
    name: 'odd',
    sources: { words: NUMBERS, events: NUMBERS },
    silver: {
      words: { from: 'words', mode: append({ dedupe: 'row' }), metadata: ['row_hash'] },
      events: { from: 'events', mode: upsert({ key: 'word', sequence: 'RowId' }) },
    },
  });
  await withLake(definition, async (lake) => {
    await lake.land('words', 'a.csv', WORDS);
    await lake.land('events', 'a.csv', WORDS);
    const result = await lake.run();
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    assert.deepEqual(result.accounting['words'], { read: 6, accepted: 3, quarantined: 1, condemned: 0, duplicates: 2 });
    const words = await lake.rows('odd_silver.words', 'SELECT "RowId" AS n, word FROM t ORDER BY ALL');
    assert.deepEqual(
      words.map((row) => [row['n'], row['word']]),
      [
        [0, 'b'],
        [2, 'b'],
        [7, 'a'],
      ],
    );
    const events = await lake.rows('odd_silver.events', 'SELECT word, "RowId" AS n FROM t ORDER BY ALL');
    assert.deepEqual(events, [
      { word: 'a', n: 7 },
      { word: 'b', n: 2 },
    ]);
  });
});

test('a query has all of its rows and columns, whatever they are called', async () => {
  const definition = definePipeline({
    name: 'odd',
    sources: { words: NUMBERS },
    silver: { words: { from: 'words', mode: append() } },
  });
  await withLake(definition, async (lake) => {
    await lake.land('words', 'a.csv', WORDS);
    await lake.run();
    const rows = await queryRows(lake.deps, 'SELECT * FROM odd_silver.words ORDER BY ALL');
    assert.deepEqual(
      rows.map((row) => row['RowId']),
      [0, 0, 2, 7, 7],
    );
    const [named] = await queryRows(
      lake.deps,
      'SELECT count(*) AS "__proto__", 1 AS rowid, 2 AS __rowid FROM odd_silver.words',
    );
    assert.equal(JSON.stringify(named), '{"__proto__":5,"rowid":1,"__rowid":2}');
  });
});

const BOM = '\ufeff';

test('partition values that differ by a leading U+FEFF are two partitions, for writers and readers', async () => {
  const definition = definePipeline({
    name: 'odd',
    sources: { notes: csv({ columns: { note: 'string', size: 'int' } }) },
    silver: { notes: { from: 'notes', mode: replace(), partitionBy: [identity('note')] } },
  });
  await withLake(definition, async (lake) => {
    await lake.land('notes', 'a.csv', `size,note\n1,${BOM}x\n2,x\n3,${BOM}y\n`);
    await lake.run();
    await lake.land('notes', 'b.csv', `size,note\n4,x\n`);
    const result = await lake.run({ runId: 'second' });
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    assert.deepEqual(await lake.rows('odd_silver.notes'), [
      { note: 'x', size: 4 },
      { note: `${BOM}x`, size: 1 },
      { note: `${BOM}y`, size: 3 },
    ]);
    const metadata = await lake.metadata('odd_silver.notes');
    assert.ok(metadata);
    const found = async (value: string): Promise<number> =>
      (await planFiles(lake.store, metadata, { predicates: [{ column: 'note', op: '=', value }] })).length;
    assert.deepEqual(
      [await found(`${BOM}x`), await found('x'), await found('y'), await found(`${BOM}y`)],
      [1, 1, 0, 1],
    );
  });
});

test('a source and an expectation may be called constructor', async () => {
  const columns = { word: 'string', size: 'int' } as const;
  const definition = definePipeline({
    name: 'odd',
    sources: { constructor: csv({ columns }), other: csv({ columns }) },
    silver: {
      constructor: {
        from: 'constructor',
        mode: upsert({ key: 'word', sequence: 'size' }),
        expect: { constructor: { condition: 'size > 1', policy: 'warn' } },
      },
      other: { from: 'other', mode: upsert({ key: 'word', sequence: 'size' }) },
    },
  } as Parameters<typeof definePipeline>[0]);
  await withLake(definition, async (lake) => {
    await lake.land('constructor', 'a.csv', 'word,size\na,1\nb,2\n');
    await lake.land('other', 'a.csv', 'word,size\na,1\n');
    const result = await lake.run();
    assert.deepEqual([result.status, result.warnings.length], ['SUCCEEDED', 1], JSON.stringify(result));
    assert.match(result.warnings[0] ?? '', /constructor \(size > 1\) does not hold for 1 rows/);
    const again = await lake.run({ runId: 'again', reprocess: { source: 'other', files: ['a.csv'] } });
    assert.equal(again.status, 'SUCCEEDED', JSON.stringify(again.error));
  });
});
