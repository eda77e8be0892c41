import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline, identity, replace, scd2, upsert } from '../../lib/define/index.ts';
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

/** What SQL of the machinery, or DuckDB itself, calls something: each is a column here, with values of its own. */
const BORROWED =
  'file_index file_row_number filename file_name file_path file path pos number age since name bucket hash key op at t0 c0 c1 ' +
  'p0 rid row_number k a s h t l n e w x d f r g i b m tied alike hashed known winners latest marked bounded versions keys ' +
  'followed breach staged fresh late touched history log events value v position line source_file codes status nth rows ' +
  'unit partition';
const NAMES = BORROWED.split(' ');

/** Of a row, its key, its sequence, and values that tell columns apart, small as file numbers are. */
function landed(first: number, sequence: number): string {
  return [first, first % 2, sequence, ...NAMES.map((_, at) => (at + first + sequence) % 7)].join(',');
}

function expected(first: number, sequence: number): Record<string, unknown> {
  const others = NAMES.map((name, at) => [name, (at + first + sequence) % 7]);
  return Object.fromEntries([['first', first], ['next', first % 2], ['sequence', sequence], ...others]);
}

test('columns with names of the machinery are merged as any other', async () => {
  const columns = Object.fromEntries(['first', 'next', 'sequence', ...NAMES].map((name) => [name, 'int']));
  const [key, sequence, buckets] = [['first', 'next'], 'sequence', 4];
  const definition = definePipeline({
    name: 'odd',
    sources: { items: csv({ columns: columns as Record<string, 'int'> }) },
    silver: {
      latest: { from: 'items', mode: upsert({ key: 'first', sequence, buckets }) },
      whole: { from: 'items', mode: upsert({ key, sequence, buckets, missing: 'delete' }) },
      versions: { from: 'items', mode: scd2({ key, sequence, buckets }) },
      stored: { from: 'items', mode: scd2({ key, sequence, buckets, writeMode: 'merge-on-read' }) },
      unique: { from: 'items', mode: append({ dedupe: { key: ['first', 'file_index'] } }) },
    },
  });
  await withLake(definition, async (lake) => {
    const header = ['first', 'next', 'sequence', ...NAMES].join(',');
    const events = [
      [1, 2, 3, 4, 5, 6, 7, 8].map((first) => landed(first, 1)),
      [landed(2, 2), landed(5, 2), landed(2, 3)],
    ];
    for (const [nth, rows] of events.entries()) {
      await lake.land('items', `${nth}.csv`, `${[header, ...rows].join('\n')}\n`);
      const result = await lake.run({ runId: `run${nth}` });
      assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    }
    const read = async (table: string, more = ''): Promise<readonly unknown[]> => {
      const select = ['first', 'next', 'sequence', ...NAMES].map((name) => `"${name}"`).join(', ');
      return lake.rows(`odd_silver.${table}`, `SELECT ${select}${more} FROM t ORDER BY "first", "sequence"`);
    };
    const last = (first: number): number => (first === 2 ? 3 : first === 5 ? 2 : 1);
    assert.deepEqual(
      await read('latest'),
      [1, 2, 3, 4, 5, 6, 7, 8].map((first) => expected(first, last(first))),
    );
    // A row that has what it is known by in common with one before it.
    assert.equal((await read('unique')).length, 11);
    // The second extract lacks all other keys.
    assert.deepEqual(await read('whole'), [expected(2, 3), expected(5, 2)]);
    const versions = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((first) =>
      Array.from({ length: last(first) }, (_, at) =>
        first === 5 || first === 2 || at === 0
          ? { ...expected(first, at + 1), valid_to: at + 1 === last(first) ? null : at + 2 }
          : [],
      ).flat(),
    );
    assert.deepEqual(await read('versions', ', valid_to'), versions);
    assert.deepEqual(await read('stored', ', valid_to'), versions);
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
