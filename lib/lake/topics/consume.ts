import { Unavailable } from '../../core/errors.ts';
import type { LandedRange } from './partition.ts';
import { createPartitions } from './partitions.ts';
import type { ConsumeDeps, ConsumeSettings, ConsumeTopic } from './settings.ts';

export type Consumed = {
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
  /** The offset that comes next, by partition. */
  readonly next: readonly string[];
};

export type ConsumeEvents = {
  readonly onLanded?: (landed: LandedRange) => void;
  readonly onRetry?: (cause: Unavailable) => void;
  readonly interrupted?: AbortSignal;
};

const POLL_MS = 500;
/** How often the topic is looked at for more partitions, and for its id. */
const DESCRIBE_MS = 30_000;
const MOST_FAILURES = 5;
const FIRST_PAUSE_MS = 500;

/**
 * Lands the records of a topic as files, each once, from where the files end. Several may do so at a time: of two that want to land what
 * comes next in a partition one does, and the other leaves it that partition for as long as it goes on. Ends when nothing comes, when the
 * time is over or when it is interrupted, with all landed that was read. Throws what opening a partition throws, and Unavailable when the
 * topic or the store does not answer again and again; what was landed stays, and the next one goes on after it.
 */
export async function consumeTopic(
  deps: ConsumeDeps,
  topic: ConsumeTopic,
  settings: ConsumeSettings,
  events: ConsumeEvents = {},
): Promise<Consumed> {
  const now = (): number => deps.clock.now().getTime();
  const sum = { files: 0, records: 0, bytes: 0 };
  const partitions = createPartitions(deps, topic, settings, (landed) => {
    sum.files += 1;
    sum.records += landed.records;
    sum.bytes += landed.bytes;
    events.onLanded?.(landed);
  });
  const began = now();
  let [described, moved, failures] = [Number.NEGATIVE_INFINITY, began, 0];
  const isOver = (): boolean =>
    events.interrupted?.aborted === true || now() - began >= (settings.limitMs ?? Number.POSITIVE_INFINITY);
  const isIdle = (): boolean =>
    settings.idleMs !== undefined && !partitions.isOvertaken() && now() - moved >= settings.idleMs;

  async function goOn(over: boolean): Promise<void> {
    if (now() - described >= DESCRIBE_MS) {
      await partitions.openAll(await deps.reader.describe());
      described = now();
    }
    const reopened = await partitions.reopen();
    const came = !over && (await readMore());
    await partitions.land(over);
    // Landing takes its time, in which nobody has looked for more.
    if (reopened || came) moved = now();
  }

  /** Whether there was a record. */
  async function readMore(): Promise<boolean> {
    const from = partitions.positions();
    if (from.size === 0) {
      await deps.wait(POLL_MS);
      return false;
    }
    let came = false;
    for (const slice of await deps.reader.read(from, POLL_MS)) came = partitions.take(slice) || came;
    return came;
  }

  while (true) {
    const over = isOver();
    try {
      await goOn(over);
      failures = 0;
      const idle = isIdle();
      // Where files are to be older than it takes to find that nothing comes.
      if (idle) await partitions.land(true);
      if (over || (idle && !partitions.isOvertaken())) return { ...sum, next: partitions.next() };
    } catch (cause) {
      failures += 1;
      if (!(cause instanceof Unavailable) || over || failures >= MOST_FAILURES) throw cause;
      events.onRetry?.(cause);
      // What was read and not landed is read again: the topic may be another by then.
      partitions.clear();
      described = Number.NEGATIVE_INFINITY;
      await deps.wait(FIRST_PAUSE_MS * 2 ** (failures - 1));
    }
  }
}
