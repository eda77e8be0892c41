import type { Inbox } from './alerts.ts';
import { type Deployment, upload } from './deployment.ts';
import { messageOf, objectCreated, type QueueMessage, twiceOutOfOrder } from './events.ts';
import type { openLaptop } from './laptop.ts';
import { deliver, type Ended, type RunChanges, runStarted, startedExecutions } from './runs.ts';
import type { Outcome, Steps } from './steps.ts';
import type { Landing } from './uploads.ts';

/** What the parts of a rehearsal share. */
export type Stage = {
  readonly deployment: Deployment;
  readonly steps: Steps;
  readonly inbox: Inbox;
  readonly folder: string;
  readonly lake: Awaited<ReturnType<typeof openLaptop>>;
  /** Every message that the queue has held. */
  readonly messages: QueueMessage[];
};

/** Uploads files and delivers their events twice and out of order. */
export async function land(stage: Stage, landings: readonly Landing[]): Promise<void> {
  const { deployment, steps, messages } = stage;
  const put = await steps.step(
    'upload',
    () => upload(deployment, landings),
    (objects) => `${objects.length} files, ${objects.reduce((sum, { size }) => sum + size, 0)} bytes`,
  );
  const own = put.map((one) => messageOf(objectCreated(one, new Date())));
  messages.push(...own);
  await steps.check('each event twice, out of order, through the Starter', async () => {
    const batches = twiceOutOfOrder(own);
    const { failed } = await deliver(deployment, batches);
    const started = await startedExecutions(deployment);
    const expected = Math.min(2, own.length);
    const problems = failed.map((id) => `the Starter wants message ${id} again`);
    if (started.length !== expected) {
      problems.push(`${started.length} executions began; expected ${expected}, one for each batch with something new`);
    }
    return { problems, detail: `${batches.length} batches, ${started.length} executions` };
  });
}

/** Runs every execution that was started, at the same time. */
export async function runAll(
  stage: Stage,
  name: string,
  changes: RunChanges = {},
  status: 'SUCCEEDED' | 'FAILED' = 'SUCCEEDED',
): Promise<readonly Ended[]> {
  const { deployment, steps } = stage;
  const ended = await steps.step(
    name,
    async () => runStarted(deployment, await startedExecutions(deployment), changes),
    (all) => all.map(describeEnd).join('; '),
  );
  await steps.check(`it ended ${status}`, async () => checkStatus(ended, status));
  return ended;
}

export function describeEnd({ events, result }: Ended): string {
  const tasks = events.filter(({ kind }) => kind === 'succeeded' || kind === 'failed').length;
  return `${result.status} after ${tasks} states`;
}

export function checkStatus(ended: readonly Ended[], status: 'SUCCEEDED' | 'FAILED'): Outcome {
  const others = ended.filter(({ result }) => result.status !== status);
  const problems = others.map(({ started, result }) => `${started.name} ended ${JSON.stringify(result)}`);
  return { problems: ended.length === 0 ? ['no execution was run'] : problems };
}

export function checkKilled(killed: string | undefined, ended: readonly Ended[], state: string): Outcome {
  if (killed === undefined) return { problems: [`no ${state} worker came to what it was to be killed at`] };
  const errors = ended.flatMap(({ events }) =>
    events.flatMap((event) => (event.kind === 'failed' && event.state === state ? [event.error] : [])),
  );
  const expected = errors.join() === 'Runtime.ExitError';
  return { problems: expected ? [] : [`${state} failed with ${errors.join() || 'nothing'}`], detail: killed };
}
