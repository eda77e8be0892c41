import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type FetchedPartition, sliceOf } from '../../../lib/adapters/origins/kafka/batches.ts';
import { parseBrokers } from '../../../lib/adapters/origins/kafka/brokers.ts';
import { explainKafka } from '../../../lib/adapters/origins/kafka/errors.ts';
import { explainMissing } from '../../../lib/adapters/origins/kafka/topic.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';

const PLAIN = { tls: false };

test('a secret says brokers, and how they let one in', () => {
  for (const [text, expected] of [
    [' kafka:9092 \n', { hosts: ['kafka:9092'], ...PLAIN }],
    ['plaintext://a.b:1, [::1]:9092/', { hosts: ['a.b:1', '[::1]:9092'], ...PLAIN }],
    ['SSL://a:1', { hosts: ['a:1'], tls: true }],
    [
      'sasl_ssl://us%40er:p%3Aa%2Fs@a:1,b:2?mechanism=scram-sha-512',
      { hosts: ['a:1', 'b:2'], tls: true, sasl: { mechanism: 'SCRAM-SHA-512', username: 'us@er', password: 'p:a/s' } },
    ],
    [
      'sasl_plaintext://u:@a:1',
      { hosts: ['a:1'], tls: false, sasl: { mechanism: 'PLAIN', username: 'u', password: '' } },
    ],
  ] as const) {
    assert.deepEqual(parseBrokers('K', text), expected);
  }
});

for (const wrong of [
  'hidden',
  'hidden:',
  'a:1,hidden',
  'http://hidden:1',
  'hidden:pw@a:1',
  'sasl_ssl://hidden:1',
  'sasl_ssl://u:hi%dden@a:1',
  'sasl_ssl://u:hidden@a:1?mechanism=md5',
  'ssl://u:hidden@a:1',
]) {
  test(`a secret that says none is refused, and said nowhere: ${wrong.replace('hidden', '...')}`, () => {
    assert.throws(
      () => parseBrokers('K', wrong),
      (error: Error) =>
        error instanceof InvalidInput &&
        /^the secret K says no brokers: expected host:9092/.test(error.message) &&
        !error.message.includes('hidden'),
    );
  });
}

test('a secret that is not there is told', () => {
  for (const nothing of [undefined, '', ' '])
    assert.throws(() => parseBrokers('K', nothing), /^InvalidInput: no secret K: expected the brokers/);
});

type Batch = NonNullable<FetchedPartition['records']>[number];
const record = (offsetDelta: number, value: string | null = 'v'): Batch['records'][number] => ({
  ...{ length: 1, attributes: 0, timestampDelta: 5n, offsetDelta, key: null, headers: [] },
  value: value === null ? null : Buffer.from(value),
});
const batch = (firstOffset: bigint, given: Partial<Batch> = {}): Batch => ({
  ...{ firstOffset, length: 1, partitionLeaderEpoch: 0, magic: 2, crc: 0, attributes: 0, lastOffsetDelta: 1 },
  ...{ firstTimestamp: 100n, maxTimestamp: 900n, producerId: 1n, producerEpoch: 0, firstSequence: 0 },
  records: [record(0), record(1)],
  ...given,
});
/** How a transaction ended: 0 aborted, 1 committed. */
const mark = (offset: bigint, kind: 0 | 1, producerId = 1n): Batch => {
  const key = Buffer.from([0, 0, 0, kind]);
  return batch(offset, { producerId, attributes: 0x30, lastOffsetDelta: 0, records: [{ ...record(0), key }] });
};
const offsets = (records: readonly Batch[], from: bigint, aborted: FetchedPartition['abortedTransactions'] = null) => {
  const { records: kept, next } = sliceOf(
    { partitionIndex: 0, records: [...records], abortedTransactions: aborted },
    from,
  );
  return [kept.map(({ offset }) => Number(offset)), Number(next)];
};

test('batches have records from before what was asked for, which are left out, and end where they say', () => {
  assert.deepEqual(offsets([batch(4n), batch(6n, { lastOffsetDelta: 9 })], 5n), [[5, 6, 7], 16]);
  assert.deepEqual(offsets([], 5n), [[], 5]);
  assert.deepEqual(offsets([batch(2n)], 5n), [[], 5]);
  const { records, partition } = sliceOf({ partitionIndex: 3, records: [batch(0n)], abortedTransactions: [] }, 0n);
  assert.deepEqual(
    [partition, records[1]],
    [3, { offset: 1n, timestamp: 105n, key: null, headers: [], value: Buffer.from('v') }],
  );
  // Where the broker gives the time it is that of the batch.
  const byBroker = sliceOf(
    { partitionIndex: 3, records: [batch(0n, { attributes: 0x08 })], abortedTransactions: [] },
    0n,
  );
  assert.equal(byBroker.records[0]?.timestamp, 900n);
  assert.throws(() => offsets([batch(0n, { magic: 1 })], 0n), Unavailable);
});

test('what transactions have written and taken back is left out, and what others write meanwhile is not', () => {
  const given = (attributes: number, producerId: bigint) => ({ attributes, producerId });
  const log = [
    batch(0n, given(0x10, 1n)),
    batch(2n, given(0x10, 2n)),
    batch(4n, given(0, 1n)),
    mark(6n, 0),
    batch(7n, given(0x10, 1n)),
    mark(9n, 1),
    mark(10n, 1, 2n),
    batch(11n, given(0x10, 2n)),
    mark(13n, 0, 2n),
  ];
  const aborted = [
    { producerId: 2n, firstOffset: 11n },
    { producerId: 1n, firstOffset: 0n },
  ];
  assert.deepEqual(offsets(log, 0n, aborted), [[2, 3, 4, 5, 7, 8], 14]);
  assert.deepEqual(offsets(log, 0n), [[0, 1, 2, 3, 4, 5, 7, 8, 11, 12], 14]);
});

test('failures of the client come to what a person can do, or to another try, and say nothing of the secret', () => {
  const context = { what: 'reading', topic: 't', secret: 'K' } as const;
  const failure = (...codes: readonly string[]) =>
    codes.reduceRight<unknown>((cause, code) => Object.assign(new Error('hidden'), { code, cause }), undefined);
  const said = (cause: unknown, what: 'reading' | 'looking at' = 'reading') => {
    const explained = explainKafka(cause, { ...context, what });
    // As logs do it, causes and properties among it: an answer has records of partitions that were read well.
    assert.doesNotMatch(inspect(explained, { depth: 9, showHidden: true }), /hidden/);
    return String(explained);
  };
  const inside = Object.assign(new Error('hidden'), {
    code: 'PLT_KFK_MULTIPLE',
    response: { records: 'hidden' },
    errors: [
      failure('PLT_KFK_NETWORK', 'ECONNREFUSED'),
      Object.assign(new Error('hidden'), { apiId: 'NOT_LEADER_OR_FOLLOWER' }),
    ],
  });
  assert.equal(
    said(inside),
    'Unavailable: reading the topic t failed: the brokers of the secret K did not answer as they should (PLT_KFK_NETWORK, ECONNREFUSED, NOT_LEADER_OR_FOLLOWER)',
  );
  assert.match(
    said(Object.assign(new Error('hidden'), { apiId: 'TOPIC_AUTHORIZATION_FAILED' })),
    /^InvalidInput: who asks by the secret K may not read the topic t: allow/,
  );
  assert.match(
    said(failure('PLT_KFK_MULTIPLE', 'PLT_KFK_AUTHENTICATION')),
    /^InvalidInput: the brokers refuse the name or password of the secret K$/,
  );
  assert.match(
    said(failure('PLT_KFK_USER'), 'looking at'),
    /^InvalidInput: no topic t at the brokers of K, .*create it, or correct/,
  );
  assert.match(said(failure('PLT_KFK_USER')), /^Unavailable/);
  const ours = new Unavailable('x');
  const fault = new TypeError('a fault of ours');
  assert.deepEqual([explainKafka(ours, context), explainKafka(fault, context)], [ours, fault]);
  assert.match(
    String(explainMissing(failure('ERR_MODULE_NOT_FOUND'))),
    /^InvalidInput: the package @platformatic\/kafka is not there, .*npm install @platformatic\/kafka$/,
  );
  assert.equal(explainMissing(fault), fault);
});
