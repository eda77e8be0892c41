import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { checkTables, checkThrottled } from './checks.ts';
import { type Deployment, readObject, upload } from './deployment.ts';
import { messageOf, objectCreated, type QueueMessage } from './events.ts';
import { runLaptop } from './laptop.ts';
import { deliver, type Ended, runStarted, startedExecutions } from './runs.ts';
import type { Stage } from './stage.ts';
import type { Outcome } from './steps.ts';
import type { Landing } from './uploads.ts';

/** More than a new account has calls at once. */
const BATCHES = 12;
const EVENTS_IN_BATCH = 80;
/** Milliseconds until the executions that do not wait have ended. */
const PATIENCE = 300_000;

/**
 * About a thousand events while a run works, one of a file that is there and the others of files that have been withdrawn since. One
 * execution waits, the others are coalesced, and the file is taken when the run ends.
 */
export async function rehearseBurst(stage: Stage, [like]: readonly Landing[]): Promise<void> {
  const { deployment, steps, lake, folder } = stage;
  if (like === undefined) return;
  // Not beside the file, which may be one that others read too.
  const landing = { source: like.source, path: join(folder, 'in-a-burst.csv') };
  await copyFile(like.path, landing.path);
  const messages = await steps.step('upload one file among events of others', () => eventsOf(deployment, landing));
  const release = await holdLock(deployment);
  await steps.step('their events through the Starter', () => deliver(deployment, inBatches(messages)));
  const ended = await steps.step('a run works meanwhile, and ends', async () => {
    const running = (await startedExecutions(deployment)).map((one) => runStarted(deployment, [one]));
    await untilOneIsLeft(running);
    await release();
    return (await Promise.all(running)).flat();
  });
  await steps.check('one execution waited, the others ended behind it', async () => checkBurst(ended));
  await steps.check('an account of ten calls at once turned some away, and they were made again', async () =>
    checkThrottled(deployment),
  );
  await steps.check('no mark is left', () => checkMarks(deployment));
  await steps.step('the same on the laptop', () => runLaptop(lake, deployment.pipeline, [landing]));
  await steps.check('the file was taken: tables equal the laptop', () => checkTables(deployment, lake.root));
}

async function eventsOf(deployment: Deployment, landing: Landing): Promise<readonly QueueMessage[]> {
  const put = await upload(deployment, [landing]);
  const { bronze } = deployment.buckets;
  const gone = Array.from({ length: BATCHES * EVENTS_IN_BATCH - put.length }, (_, at) => {
    const key = `bronze/${deployment.pipeline}/${landing.source}/withdrawn-${at}.csv`;
    return { bucket: bronze, key, size: 1, etag: 'e', versionId: `v${at}` };
  });
  return [...gone.slice(0, 480), ...put, ...gone.slice(480)].map((one) => messageOf(objectCreated(one, new Date())));
}

function inBatches(messages: readonly QueueMessage[]): readonly (readonly QueueMessage[])[] {
  return Array.from({ length: BATCHES }, (_, at) => messages.slice(at * EVENTS_IN_BATCH, (at + 1) * EVENTS_IN_BATCH));
}

/** Holds the pipeline's lock as a run does that works; answers how to give it back. */
async function holdLock(deployment: Deployment): Promise<() => Promise<void>> {
  const { s3, buckets, pipeline } = deployment;
  const Key = `ops/${pipeline}/lock.json`;
  const { epoch } = (await readObject(deployment, buckets.ops, Key)) as { epoch: number };
  const put = async (lock: object): Promise<void> => {
    const Body = JSON.stringify({ epoch: epoch + 1, ...lock });
    await s3.send(new PutObjectCommand({ Bucket: buckets.ops, Key, Body }));
  };
  const expires_at = new Date(Date.now() + 20 * 60_000).toISOString();
  await put({ run_id: 'at-work', holder: 'run:at-work', expires_at, lease_ms: 20 * 60_000, beat: 0 });
  return () => put({ released: true });
}

async function untilOneIsLeft(running: readonly Promise<unknown>[]): Promise<void> {
  let ended = 0;
  for (const one of running) void one.finally(() => (ended += 1)).catch(() => undefined);
  for (let waited = 0; ended < running.length - 1 && waited < PATIENCE; waited += 500) await sleep(500);
}

function checkBurst(ended: readonly Ended[]): Outcome {
  const statuses = ended.map(({ result }) =>
    result.status === 'SUCCEEDED' ? (result.output as { status?: string }).status : JSON.stringify(result),
  );
  const coalesced = statuses.filter((status) => status === 'coalesced').length;
  const worked = statuses.filter((status) => status === 'planned').length;
  const isRight = coalesced === BATCHES - 1 && worked === 1;
  return { problems: isRight ? [] : [`they ended ${statuses.join(', ')}`], detail: `${coalesced} coalesced` };
}

async function checkMarks({ s3, buckets, pipeline }: Deployment): Promise<Outcome> {
  const list = new ListObjectsV2Command({ Bucket: buckets.ops, Prefix: `ops/${pipeline}/_landed/` });
  const { Contents = [] } = await s3.send(list);
  return { problems: Contents.map(({ Key }) => `${Key} is left`) };
}
