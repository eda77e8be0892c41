import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Producer } from '@platformatic/kafka';
import { type CliLake, openCliLake } from '../../cli/lake.ts';
import { runCrowd } from './crowd.ts';
import { type KafkaServer, PASSWORD, startKafka } from './kafka-server.ts';
import { dropTopic, inOrder, landedLines, makeTopic, sendNumbers } from './topics.ts';

const KILLS = Number(process.env['KAFKA_KILLS'] ?? 50);
const MESSAGES = Number(process.env['KAFKA_MESSAGES'] ?? 100_000);
const PARTITIONS = 4;

let server: KafkaServer;
let root: string;
before(async () => {
  server = await startKafka();
  root = await mkdtemp(join(tmpdir(), 'strata-kafka-lake-'));
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

test(`of ${MESSAGES} messages, which come while ${KILLS} consumers are killed, none is lost and none is there twice`, async () => {
  await makeTopic(server.plain, 'many', PARTITIONS);
  const settings = { records: 2_000, ageMs: 400, idleMs: 2_500 };
  const place = { root, topic: 'many', brokers: server.plain, settings };
  const pauseMs = 450;
  const crowd = runCrowd(place, { consumers: 3, kills: KILLS, pauseMs, seed: 42 });
  // As long as there are kills.
  const batches = 40;
  const sent = sendNumbers(
    server.plain,
    'many',
    { count: MESSAGES, batch: Math.ceil(MESSAGES / batches), partitions: PARTITIONS },
    () => sleep((KILLS * pauseMs * 0.55) / batches),
  );
  const [{ started, killed, stopped }] = await Promise.all([crowd, sent]);
  const theirs = inOrder(await server.dump('many'));
  const ours = await landedLines(root, 'many');
  console.log(`${theirs.length} messages, ${killed} kills, ${stopped} stops, ${started} consumers`);
  assert.equal(theirs.length, MESSAGES);
  assert.ok(killed >= KILLS && started >= KILLS + 3);
  // Line by line, since a difference of two such lists takes long to print.
  assert.equal(
    ours.find((line, at) => line !== theirs[at]),
    undefined,
  );
  assert.equal(ours.length, theirs.length);
});

describe('a user', () => {
  let lake: CliLake;
  const consume = (...options: readonly string[]) =>
    lake.run('consume', 'talk', 'said', '--until-idle', '1s', ...options);
  const refused = async (brokers: string, code: number, message: RegExp): Promise<void> => {
    process.env['KAFKA'] = brokers;
    const ended = await consume();
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
    assert.doesNotMatch(ended.stderr, /guess|127\.0\.0\.1/);
  };
  before(async () => {
    const said = `define.kafka({ brokers: define.secret('KAFKA'), topic: 'said', columns: { value: 'struct<n: int>' } })`;
    lake = openCliLake('talk', `{ name: 'talk', sources: { said: ${said} }, silver: { said: { from: 'said' } } }`);
    process.env['KAFKA'] = server.plain;
  });
  after(() => {
    delete process.env['KAFKA'];
    lake.close();
  });

  test('is told of a topic that is not there', async () => {
    await refused(server.plain, 1, /no topic said at the brokers of KAFKA, .*create it, or correct its name/);
  });

  test('lands what was committed, with name and password, and runs take it', async () => {
    await makeTopic(server.plain, 'said', 1);
    process.env['KAFKA'] = `sasl_plaintext://strata:${encodeURIComponent(PASSWORD)}@${server.secured}?mechanism=plain`;
    const client = { clientId: 'tests', bootstrapBrokers: [server.plain], idempotent: true };
    const producer = new Producer({ ...client, transactionalId: 'tests', retries: 10 });
    for (const [n, end] of [
      [1, 'commit'],
      [2, 'abort'],
      [3, 'commit'],
    ] as const) {
      const transaction = await producer.beginTransaction();
      await transaction.send({ messages: [{ topic: 'said', partition: 0, value: Buffer.from(`{"n":${n}}`) }] });
      await transaction[end]();
    }
    await producer.close();
    const { code, stdout, stderr } = await consume();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^landed 2 records of topic said in 1 file, \d+ B\n\nnext:\n.*run talk/);
    await lake.json(0, 'run', 'talk');
    assert.deepEqual(
      await lake.json(0, 'query', 'SELECT value.n AS n, "offset" AS o FROM talk_silver.said ORDER BY n'),
      [
        { n: 1, o: 0 },
        { n: 3, o: 4 },
      ],
    );
    assert.match((await consume()).stdout, /^landed 0 records of topic said in 0 files/);
  });

  test('is told of a wrong password, a topic made anew, and brokers that do not answer, and nothing of the secret', async () => {
    await refused(
      `sasl_plaintext://strata:guess@${server.secured}`,
      1,
      /the brokers refuse the name or password of the secret KAFKA/,
    );
    await dropTopic(server.plain, 'said');
    await sleep(500);
    await makeTopic(server.plain, 'said', 1);
    await refused(server.plain, 1, /the topic said was made anew: got id .*give the new topic a source of its own/);
    await server.stop();
    await refused(
      server.plain,
      2,
      /Unavailable: .*the brokers of the secret KAFKA did not answer as they should \(.*ECONNREFUSED/,
    );
  });
});
