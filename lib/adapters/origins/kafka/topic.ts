import type { ClusterTopicMetadata, Consumer } from '@platformatic/kafka';
import { InvalidInput, Unavailable } from '../../../core/errors.ts';
import type { KafkaOrigin } from '../../../core/origins.ts';
import type { TopicReader, TopicSlice } from '../../../ports.ts';
import { sliceOf } from './batches.ts';
import { type Brokers, parseBrokers } from './brokers.ts';
import { explainKafka, type KafkaContext, LOOKING } from './errors.ts';

const FETCH_BYTES = 16 * 2 ** 20;
const PARTITION_BYTES = 4 * 2 ** 20;
const CONNECT_MS = 5_000;
const READ_COMMITTED = 1;
const EARLIEST = -2n;
const LATEST = -1n;

export type KafkaDeps = { readonly secret: (name: string) => Promise<string | undefined> };

/**
 * A topic, read without a consumer group: nothing is noted at the brokers, and whoever reads needs to be allowed to describe and read the
 * topic alone. Throws InvalidInput where the package, the secret or the topic is not there, or the brokers let nobody in.
 */
export async function openKafkaTopic({ brokers, topic }: KafkaOrigin, { secret }: KafkaDeps): Promise<TopicReader> {
  const consumer = await connect(parseBrokers(brokers, await secret(brokers)));
  consumer.topics.track(topic);
  const explained = async <T>(what: KafkaContext['what'], act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      throw explainKafka(cause, { what, topic, secret: brokers });
    }
  };
  const look = async (forceUpdate: boolean): Promise<ClusterTopicMetadata> => {
    const { topics } = await consumer.metadata({ topics: [topic], forceUpdate });
    const found = topics.get(topic);
    if (found === undefined) throw new Unavailable(`the brokers of ${brokers} say nothing of the topic ${topic}`);
    return found;
  };
  return {
    describe: () =>
      explained(LOOKING, async () => {
        const { id, partitionsCount } = await look(true);
        return { id, partitions: partitionsCount };
      }),
    bounds: (partition) =>
      explained(LOOKING, async () => {
        const at = async (timestamp: bigint): Promise<bigint> => {
          const asked = { topics: [topic], partitions: { [topic]: [partition] }, isolationLevel: READ_COMMITTED };
          return (await consumer.listOffsets({ ...asked, timestamp })).get(topic)?.[partition] ?? 0n;
        };
        return { start: await at(EARLIEST), end: await at(LATEST) };
      }),
    read: (from, waitMs) =>
      explained('reading', async () => {
        const { id, partitions } = await look(false);
        const leaders = Map.groupBy(from, ([partition]) => partitions[partition]?.leader ?? -1);
        const slices = [...leaders].map(([node, wanted]) =>
          node < 0 ? [] : fetchFrom(consumer, node, { id, wanted, waitMs }),
        );
        return (await Promise.all(slices)).flat();
      }),
    [Symbol.asyncDispose]: () => consumer.close(true).catch(() => undefined),
  };
}

type Wanted = {
  readonly id: string;
  readonly wanted: readonly (readonly [number, bigint])[];
  readonly waitMs: number;
};

async function fetchFrom(consumer: Consumer, node: number, { id, wanted, waitMs }: Wanted): Promise<TopicSlice[]> {
  const topics: Parameters<Consumer['fetch']>[0]['topics'] = [
    {
      topicId: id,
      partitions: wanted.map(([partition, fetchOffset]) => ({
        partition,
        fetchOffset,
        currentLeaderEpoch: -1,
        lastFetchedEpoch: -1,
        partitionMaxBytes: PARTITION_BYTES,
      })),
    },
  ];
  const options = { minBytes: 1, maxBytes: FETCH_BYTES, maxWaitTime: waitMs, isolationLevel: READ_COMMITTED };
  const { responses } = await consumer.fetch({ node, topics, ...options });
  const from = new Map(wanted);
  return responses.flatMap(({ partitions }) =>
    partitions.map((partition) => sliceOf(partition, from.get(partition.partitionIndex) ?? 0n)),
  );
}

async function connect({ hosts, tls, sasl }: Brokers): Promise<Consumer> {
  const { Consumer: Client } = await load();
  return new Client({
    clientId: 'strata',
    // A name that the client asks for and nobody joins.
    groupId: 'strata',
    bootstrapBrokers: [...hosts],
    autocreateTopics: false,
    autocommit: false,
    connectTimeout: CONNECT_MS,
    retries: 2,
    retryDelay: 250,
    ...(tls ? { tls: {}, tlsServerName: true } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  });
}

const MISSING = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/** The package, which only those install who read from Kafka. */
async function load(): Promise<typeof import('@platformatic/kafka')> {
  try {
    return await import('@platformatic/kafka');
  } catch (cause) {
    throw explainMissing(cause);
  }
}

/** What became of loading it, in words that say what to do. */
export function explainMissing(cause: unknown): unknown {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  if (typeof code !== 'string' || !MISSING.includes(code)) return cause;
  const message = 'the package @platformatic/kafka is not there, which Kafka needs: npm install @platformatic/kafka';
  return new InvalidInput(message, [], { cause });
}
