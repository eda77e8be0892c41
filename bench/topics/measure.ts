import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCrowd } from '../../test/servers/kafka/crowd.ts';
import { startKafka } from '../../test/servers/kafka/kafka-server.ts';
import { inOrder, landedLines, makeTopic, sendNumbers } from '../../test/servers/kafka/topics.ts';
import type { Bench, Measured } from '../bench.ts';
import { measureTree } from '../process-tree.ts';

const PARTITIONS = 8;
const CONSUMERS = 3;
const BATCHES = 200;
const PAUSE_MS = 450;
/** After the last message one consumer waits so long, which is no part of the figure. */
const IDLE_MS = 500;
const CONSUMER = join(import.meta.dirname, '..', '..', 'test', 'servers', 'kafka', 'consumer.ts');

/**
 * Topics of a real Kafka: how long one consumer takes for all messages, and what becomes of them while consumers are killed. Throws where
 * what has landed is not what the brokers' own client finds.
 */
export async function measureTopics(bench: Bench): Promise<Measured> {
  const count = bench.sizes.messages;
  const kills = count / 5_000;
  await using server = await startKafka();
  const root = await mkdtemp(join(tmpdir(), 'strata-topics-'));
  try {
    await makeTopic(server.plain, 'crowd', PARTITIONS);
    const settings = { records: 2_000, ageMs: 400, idleMs: 2_500 };
    const place = { root, topic: 'crowd', brokers: server.plain, settings };
    const began = performance.now();
    const crowd = runCrowd(place, { consumers: CONSUMERS, kills, pauseMs: PAUSE_MS, seed: 42 });
    const batch = Math.ceil(count / BATCHES);
    const sent = sendNumbers(server.plain, 'crowd', { count, batch, partitions: PARTITIONS }, () =>
      sleep((kills * PAUSE_MS * 0.55) / BATCHES),
    );
    const [{ stopped }] = await Promise.all([crowd, sent]);
    const seconds = (performance.now() - began) / 1000;
    const { lost, twice } = await compare(server, root);
    bench.log(
      `topics: ${count} messages, ${kills} kills, ${stopped} stops: ${lost} lost, ${twice} twice, ${seconds.toFixed(0)} s`,
    );
    if (lost + twice > 0) throw new Error(`${lost} messages are lost and ${twice} are there twice`);
    const alone = { ...process.env, KAFKA: server.plain };
    Object.assign(process.env, alone);
    const args = [CONSUMER, join(root, 'alone'), 'crowd', JSON.stringify({ idleMs: IDLE_MS })];
    const sample = await measureTree(process.execPath, args, root);
    const { length: landed } = await landedLines(join(root, 'alone'), 'crowd');
    if (landed !== count) throw new Error(`one consumer landed ${landed} of ${count} messages`);
    const ms = sample.ms - IDLE_MS;
    const whole = count.toLocaleString('en-US');
    const cpu = ((sample.cpuMs ?? 0) / 1000).toFixed(1);
    bench.log(`topics: one consumer ${(ms / 1000).toFixed(1)} s, ${cpu} s of processor time`);
    const detail = `${PARTITIONS} partitions; ${cpu} s of processor time`;
    const killed = `${PARTITIONS} partitions, ${CONSUMERS} consumers at a time, ${stopped} of them stopped for 3 s: 0 lost, 0 twice`;
    return {
      figures: [
        {
          name: `${whole} messages of a topic, landed by one consumer`,
          value: ms / 1000,
          unit: 's',
          bound: null,
          detail,
        },
        {
          name: `${whole} messages while ${kills} consumers are killed`,
          value: seconds,
          unit: 's',
          bound: null,
          detail: killed,
        },
      ],
      fingerprints: [],
      skipped: [],
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function compare(
  server: Awaited<ReturnType<typeof startKafka>>,
  root: string,
): Promise<{ readonly lost: number; readonly twice: number }> {
  const theirs = inOrder(await server.dump('crowd'));
  const ours = await landedLines(root, 'crowd');
  const landed = new Set(ours);
  return { lost: theirs.filter((line) => !landed.has(line)).length, twice: ours.length - landed.size };
}
