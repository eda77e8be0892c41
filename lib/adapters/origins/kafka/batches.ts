import type { Consumer, RecordsBatch } from '@platformatic/kafka';
import { Unavailable } from '../../../core/errors.ts';
import type { TopicRecord, TopicSlice } from '../../../ports.ts';

type Fetched = Awaited<ReturnType<Consumer['fetch']>>;
export type FetchedPartition = Pick<
  Fetched['responses'][number]['partitions'][number],
  'partitionIndex' | 'records' | 'abortedTransactions'
>;

/** Bits of a batch's attributes. Source: kafka.apache.org/documentation/#recordbatch */
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/**
 * The records of a partition from an offset on. Those of transactions that were aborted are left out, as are the marks that end
 * transactions: brokers give both to who reads what is committed. Source: KIP-98, "Consumer".
 */
export function sliceOf({ partitionIndex, records, abortedTransactions }: FetchedPartition, from: bigint): TopicSlice {
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborting = new Set<bigint>();
  const kept: TopicRecord[] = [];
  let next = from;
  for (const batch of records ?? []) {
    if (batch.magic !== 2) {
      throw new Unavailable(`a batch of records of format ${batch.magic}: expected format 2, of Kafka 0.11 and later`);
    }
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    while (aborted[0] !== undefined && aborted[0].firstOffset <= last) aborting.add(aborted.shift()?.producerId ?? 0n);
    if ((batch.attributes & CONTROL) !== 0) {
      if (isAbort(batch)) aborting.delete(batch.producerId);
    } else if ((batch.attributes & TRANSACTIONAL) === 0 || !aborting.has(batch.producerId)) {
      kept.push(...recordsOf(batch).filter(({ offset }) => offset >= from));
    }
    if (last >= next) next = last + 1n;
  }
  return { partition: partitionIndex, records: kept, next };
}

function recordsOf(batch: RecordsBatch): readonly TopicRecord[] {
  const byBroker = (batch.attributes & LOG_APPEND_TIME) !== 0;
  return batch.records.map(({ offsetDelta, timestampDelta, key, headers, value }) => ({
    offset: batch.firstOffset + BigInt(offsetDelta),
    timestamp: byBroker ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta,
    key,
    headers,
    value,
  }));
}

/** The key of a mark has a version and what it marks, 0 for an abort. */
function isAbort({ records: [mark] }: RecordsBatch): boolean {
  return mark?.key?.readInt16BE(2) === 0;
}
