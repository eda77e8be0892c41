import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consumeTopic } from '../../lib/lake/topics/consume.ts';
import { CUTS } from '../../lib/lake/topics/settings.ts';
import pipeline from '../../pipelines/hr/pipeline.ts';
import { createMemoryTopic } from '../lake/topics/memory-topic.ts';
import type { TestLake } from '../support/test-lake.ts';
import { openPipelineLake, partOf, runBatches } from './runs.ts';

const AT = Date.parse('2026-01-10T12:00:00Z');

/** Records of a topic, one after the other from an offset on, a second apart. */
function records(first: number, values: readonly (object | string | null)[]) {
  const lines = values.map((value, n) =>
    JSON.stringify({
      topic: 'employee_messages',
      partition: 0,
      offset: first + n,
      timestamp_ms: AT + (first + n) * 1000,
      key: null,
      headers: {},
      value: value === null || typeof value === 'string' ? value : JSON.stringify(value),
    }),
  );
  return { source: 'messages', file: `${first}.jsonl`, content: `${lines.join('\n')}\n` };
}

const words = (source: string, ...given: readonly string[]) => ({
  source,
  file: `${given.join('-').trim()}.jsonl`,
  content: JSON.stringify({ words: given }),
});
const say = (message: string, sender = '1') => ({ sender, receiver: '2', message });
const person = (name: string, rows: string) => ({
  source: 'employee_data',
  file: name,
  content: `name,age,emp_id\n${rows}\n`,
});

async function withLake(check: (lake: TestLake) => Promise<void>): Promise<void> {
  const silver = ['employee_data', 'employee_timeframe', 'marked_words', 'vocabulary', 'messages'];
  const gold = ['staff', 'strikes', 'flagged_messages', 'unattributed'];
  const names = [...silver.map((name) => `silver.${name}`), ...gold.map((name) => `gold.${name}`)];
  const opened = await openPipelineLake(partOf(pipeline, names));
  const lake = opened.reopen((deps) => ({ ...deps, clock: { now: () => new Date('2026-01-10T13:00Z') } }));
  try {
    await check(lake);
  } finally {
    opened.close();
  }
}

const flags = (lake: TestLake) =>
  lake.rows('hr_silver.messages', 'SELECT "offset"::INT o, flagged f, words w FROM t ORDER BY ALL');

test('a message is flagged by the words of its time, one strike whatever their number', async () => {
  await withLake(async (lake) => {
    const values = [
      say('this has abc1 in it'),
      say('ABC1, and abc1 and Def2!'),
      say('abc12 is another word'),
      say('(abc1)', '77'),
      say(''),
    ];
    const [first] = await runBatches(lake, [
      [
        person('p.csv', 'Ann,30,1\nBob,31,2\nBob,31,2\nBeth,40,2'),
        words('vocabulary', 'abc1', 'def2'),
        words('marked_words', ' abc1', 'DEF2 ', 'abc1', 'ghi3'),
        records(0, values),
      ],
    ]);
    assert.deepEqual(await lake.rows('hr_silver.marked_words', 'SELECT word_list l, unknown_words u FROM t'), [
      { l: ['abc1', 'def2', 'ghi3'], u: ['ghi3'] },
    ]);
    assert.ok(
      first?.warnings.some((warning) => warning.includes('in_vocabulary')),
      JSON.stringify(first?.warnings),
    );
    const before = [
      { o: 0, f: true, w: ['abc1'] },
      { o: 1, f: true, w: ['abc1', 'def2'] },
      { o: 2, f: false, w: [] },
      { o: 3, f: true, w: ['abc1'] },
      { o: 4, f: false, w: [] },
    ];
    assert.deepEqual(await flags(lake), before);
    assert.deepEqual(await lake.rows('hr_gold.strikes', 'SELECT emp_id::INT e, strikes s FROM t'), [{ e: 1, s: 2 }]);
    assert.deepEqual(await lake.rows('hr_gold.unattributed', 'SELECT sender, message FROM t'), [
      { sender: '77', message: '(abc1)' },
    ]);
    assert.deepEqual(
      await lake.rows('hr_gold.flagged_messages', 'SELECT sender s, strike_no::INT n, date d FROM t ORDER BY sent_at'),
      [
        { s: '1', n: 1, d: '2026-01-10' },
        { s: '1', n: 2, d: '2026-01-10' },
        { s: '77', n: null, d: '2026-01-10' },
      ],
    );
    // A name that changes is for a person to decide; the row that is there stays.
    assert.deepEqual(await lake.rows('hr_silver.employee_data', 'SELECT emp_id::INT e, name FROM t ORDER BY 1'), [
      { e: 1, name: 'Ann' },
      { e: 2, name: 'Bob' },
    ]);
    assert.deepEqual(await lake.rows('hr_ops.quarantine', 'SELECT codes, status FROM t'), [
      { codes: ['DUPLICATE_FAILURE'], status: 'condemned' },
    ]);

    // Another list: what was said before stays as it was flagged, the same records again are the same.
    await runBatches(lake, [[words('marked_words', 'word')], [records(5, [say('a word, abc1')]), records(0, values)]]);
    assert.deepEqual(await flags(lake), [...before, { o: 5, f: true, w: ['word'] }]);
    // Unless it is asked for: then all that was ever said is looked through by the list of now.
    await lake.run({ backfill: {}, select: ['silver.messages'] });
    assert.deepEqual(
      (await flags(lake)).flatMap(({ o, f }) => (f === true ? [o] : [])),
      [2, 5],
    );
  });
});

test('words are the same in any case and form of their letters, and marks belong to them', async () => {
  await withLake(async (lake) => {
    const values = [
      say('un caf\u00e9!'),
      say('cafe\u0301'),
      say('\u0939\u093f\u0928\u094d\u0926\u0940.'),
      say('cafe'),
      say(' ! '),
      say('all others'),
      say('in der STRASSE,'),
      say('die ﬂut\u3000ＡＢＣ１'),
      say('ΌΔΟΣ'),
      say('flu t abc 1'),
    ];
    // Lists that wait together are one, and stop no run.
    await runBatches(lake, [
      [words('vocabulary', 'other'), words('vocabulary', 'café'), words('marked_words', 'other')],
      [
        words('marked_words', 'others'),
        words('marked_words', ' ', '\tCafe\u0301\n', '\u0939\u093f\u0928\u094d\u0926\u0940'),
        words('marked_words', '\u00a0Stra\u00dfe', 'abc\u2460', 'FLUT', 'όδος'),
      ],
      [records(0, values)],
    ]);
    assert.deepEqual(
      (await flags(lake)).map(({ w }) => w),
      [['caf\u00e9'], ['caf\u00e9'], ['\u0939\u093f\u0928\u094d\u0926\u0940'], [], [], ['others']].concat([
        ['strasse'],
        ['abc1', 'flut'],
        ['όδοσ'],
        [],
      ]),
    );
  });
});

test('records without a message are in quarantine, and the others are not lost for them', async () => {
  await withLake(async (lake) => {
    const none = [null, 'no json', '[1]', '"text"', { sender: '1', message: 'x' }, { ...say('x'), sender: null }];
    await runBatches(lake, [[records(0, [...none, say('hello')])]]);
    assert.deepEqual(
      await lake.rows('hr_ops.quarantine', 'SELECT line::INT n, codes FROM t ORDER BY ALL'),
      none.map((value, at) => ({ n: at + 1, codes: [value === null ? 'NULL_VALUE_ERROR' : 'NO_MESSAGE'] })),
    );
    assert.deepEqual(await flags(lake), [{ o: 6, f: false, w: [] }]);
  });
});

test('messages of the topic are taken with the time of their records, beside files; what is no message is set aside', async () => {
  await withLake(async (lake) => {
    const topic = createMemoryTopic();
    const sent = say('caf\u00e9 abc1 "quoted",\n\ud83d\ude00');
    const values = [
      JSON.stringify(sent),
      null,
      'no json',
      '["sender"]',
      JSON.stringify({ sender: '1', receiver: '2' }),
      JSON.stringify({ ...sent, message: null }),
      Buffer.from([0xff]),
    ];
    topic.add(0, ...values.map((value) => ({ value, timestamp: BigInt(AT) })));
    const place = { pipeline: 'hr', source: 'messages', topic: 'employee_messages' };
    const deps = { store: lake.store, reader: topic.reader(), clock: topic.clock, wait: async () => {} };
    await consumeTopic(deps, place, { ...CUTS, idleMs: 100, all: true, skipLost: false });
    const [result] = await runBatches(lake, [
      [words('vocabulary', 'abc1'), words('marked_words', 'abc1'), records(100, [say('by hand')])],
    ]);
    const { read, quarantined } = result?.accounting['messages'] ?? {};
    assert.deepEqual([read, quarantined], [8, 6]);
    assert.deepEqual(
      await lake.rows(
        'hr_silver.messages',
        'SELECT "offset"::INT o, sender s, message m, sent_at::VARCHAR AS at, flagged f FROM t ORDER BY ALL',
      ),
      [
        { o: 0, s: '1', m: sent.message, at: '2026-01-10 12:00:00', f: true },
        { o: 100, s: '1', m: 'by hand', at: '2026-01-10 12:01:40', f: false },
      ],
    );
    const rejected = 'SELECT list_sort(codes) e, count(*)::INT n FROM t GROUP BY ALL ORDER BY ALL';
    assert.deepEqual(await lake.rows('hr_ops.quarantine', rejected), [
      { e: ['NO_MESSAGE'], n: 4 },
      { e: ['NULL_VALUE_ERROR'], n: 2 },
    ]);
  });
});
