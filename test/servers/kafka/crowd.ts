import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CONSUMER = join(import.meta.dirname, 'consumer.ts');

export type Crowd = {
  readonly consumers: number;
  /** How many are killed, each replaced at once by another; every tenth is stopped for longer than others wait for it instead. */
  readonly kills: number;
  /** Between two kills, milliseconds at most. */
  readonly pauseMs: number;
  readonly seed: number;
};

/** Consumers of a topic that die and begin anew, until none is killed any more and all have found the end. Answers how many there were. */
export async function runCrowd(
  place: { readonly root: string; readonly topic: string; readonly brokers: string; readonly settings: object },
  { consumers, kills, pauseMs, seed }: Crowd,
): Promise<{ readonly started: number; readonly killed: number; readonly stopped: number }> {
  const random = randomFrom(seed);
  const ends: Promise<void>[] = [];
  const living = new Set<ChildProcess>();
  let started = 0;
  const failures: string[] = [];
  const begin = (): void => {
    started += 1;
    const args = [CONSUMER, place.root, place.topic, JSON.stringify(place.settings)];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, KAFKA: place.brokers },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    living.add(child);
    ends.push(
      new Promise((ended) => {
        child.on('close', (code, signal) => {
          living.delete(child);
          if (signal !== 'SIGKILL' && code !== 0) failures.push(said);
          ended();
        });
      }),
    );
  };
  for (let at = 0; at < consumers; at += 1) begin();
  let [killed, stopped] = [0, 0];
  while (killed < kills) {
    await sleep(pauseMs * (0.2 + 0.8 * random()));
    const all = [...living];
    const one = all[Math.floor(random() * all.length)];
    if (one === undefined) begin();
    else if (random() < 0.1) {
      stopped += 1;
      one.kill('SIGSTOP');
      setTimeout(() => one.kill('SIGCONT'), 3_000);
    } else {
      killed += 1;
      one.kill('SIGKILL');
      begin();
    }
  }
  for (let known = 0; known < ends.length; ) {
    known = ends.length;
    await Promise.all(ends);
  }
  if (failures.length > 0) throw new Error(`consumers failed:\n${failures.join('\n')}`);
  return { started, killed, stopped };
}

/** Numbers from 0 to 1, the same for a seed. Source: Lehmer's generator, 1951, with the constants of Park and Miller. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
