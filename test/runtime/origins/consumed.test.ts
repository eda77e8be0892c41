import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definePipeline, kafka, secret, upsert } from '../../../lib/define/index.ts';
import { consumeTopic } from '../../../lib/lake/topics/consume.ts';
import { CUTS } from '../../../lib/lake/topics/settings.ts';
import { createMemoryTopic } from '../../lake/topics/memory-topic.ts';
import { openTestLake } from '../../support/test-lake.ts';

const PIPELINE = definePipeline({
  name: 'talk',
  sources: {
    said: kafka({
      ...{ brokers: secret('KAFKA'), topic: 'said' },
      columns: {
        value: {
          type: 'struct<id: bigint, price: decimal(10,2), tags: list<string>>',
          required: true,
          checks: { no_id: 'value.id IS NOT NULL' },
        },
        key: 'string',
        headers: 'list<struct<key: string, value: string>>',
      },
    }),
  },
  silver: {
    said: {
      from: 'said',
      sql: 'silver/said.sql',
      mode: upsert({ key: ['topic', 'partition', 'offset'], sequence: 'offset', tieBreak: 'sent_at' }),
    },
  },
});
const SQL =
  'SELECT topic, "partition", "offset", sent_at, key, headers, value.id AS id, value.price AS price, value.tags AS tags FROM batch.said';

test('a value of JSON is a struct, whose parts are of their types or set aside, and nothing of a record is changed', async () => {
  const lake = await openTestLake({ name: 'talk', definition: PIPELINE, sql: { 'silver/said.sql': SQL } });
  try {
    const topic = createMemoryTopic(2);
    const text = '{"id": 9007199254740993, "price": 1.10, "tags": ["a", "b"], "more": {"x": 1}}';
    const headers = [[Buffer.from('h'), Buffer.from('1')]] as const;
    topic.add(0, { value: text, key: Buffer.from('k'), headers, timestamp: 1_769_904_000_123n });
    topic.add(
      1,
      { value: '{"id": 1}' },
      { value: '{"id": 1, "price": "x"}' },
      { value: '{"price": 1}' },
      { value: '5' },
      {},
    );
    const deps = { store: lake.store, reader: topic.reader(), clock: topic.clock, wait: async () => {} };
    const place = { pipeline: 'talk', source: 'said', topic: 'said' };
    await consumeTopic(deps, place, { ...CUTS, idleMs: 100, all: true, skipLost: false });
    await lake.run();
    const select = `SELECT "partition" p, "offset"::INT o, epoch_ms(sent_at) AS at, key, headers, id, price::VARCHAR price, tags FROM t ORDER BY ALL`;
    assert.deepEqual(await lake.rows('talk_silver.said', select), [
      {
        ...{ p: 0, o: 0, at: 1769904000123, key: 'k', headers: [{ key: 'h', value: '1' }] },
        ...{ id: '9007199254740993', price: '1.10', tags: ['a', 'b'] },
      },
      { p: 1, o: 0, at: 1700000000000, key: null, headers: [], id: 1, price: null, tags: null },
    ]);
    const rejected = await lake.rows('talk_ops.quarantine', 'SELECT codes e, raw FROM t ORDER BY ALL');
    assert.deepEqual(
      rejected.map(({ e }) => e),
      [['NO_ID'], ['NULL_VALUE_ERROR', 'NO_ID'], ['TYPE_ERROR'], ['TYPE_ERROR', 'NO_ID']],
    );
    assert.match(String(rejected[1]?.['raw']), /"partition":1,"offset":4,.*"value":null/);
  } finally {
    lake.close();
  }
});
