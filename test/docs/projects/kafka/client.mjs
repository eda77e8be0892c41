import { setTimeout as sleep } from 'node:timers/promises';

const VALUES = ['{"id":1,"amount":10.50}', '{"id":2,"amount":7.10}', null, '{"amount":1.00}'];
const END = BigInt(VALUES.length);

const records = VALUES.map((value, offsetDelta) => ({
  offsetDelta,
  timestampDelta: BigInt(offsetDelta * 1000),
  key: null,
  headers: [],
  value: value === null ? null : Buffer.from(value),
}));
const batch = {
  firstOffset: 0n,
  lastOffsetDelta: VALUES.length - 1,
  magic: 2,
  attributes: 0,
  firstTimestamp: 1796040000000n,
  records,
};

export class Consumer {
  topics = { track: () => undefined };

  async metadata() {
    return { topics: new Map([['orders', { id: 'id-1', partitions: [{ leader: 1 }], partitionsCount: 1 }]]) };
  }

  async listOffsets({ timestamp }) {
    return new Map([['orders', [timestamp === -2n ? 0n : END]]]);
  }

  async fetch({ topics: [{ topicId, partitions }], maxWaitTime }) {
    if (partitions[0].fetchOffset < END) {
      return {
        responses: [{ topicId, partitions: [{ partitionIndex: 0, abortedTransactions: null, records: [batch] }] }],
      };
    }
    await sleep(maxWaitTime);
    return { responses: [] };
  }

  async close() {}
}
