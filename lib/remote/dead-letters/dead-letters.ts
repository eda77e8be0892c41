import { readDeadLetter, type ScheduledStart } from '../../core/dead-letter.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { Message, MessageQueue } from './queue.ts';

export type DeadLetterDeps = {
  readonly letters: MessageQueue;
  /** What the starter reads; undefined: nothing starts runs by events. */
  readonly events: MessageQueue | undefined;
  /** Starts an execution, or finds that it was started. */
  readonly start: (start: ScheduledStart) => Promise<void>;
};

export type ListedLetter = {
  readonly id: string;
  readonly kind: 'event' | 'schedule' | 'other';
  readonly about: string;
  readonly sent_at: string;
  /** Why it could not be delivered; null: the starter could not deal with it, of which its log tells. */
  readonly reason: string | null;
};

/** Messages that one command deals with; it can be given again. */
export const MOST_LETTERS = 1_000;

/** What lies among the dead letters of a pipeline, the oldest first; all of it stays there. */
export async function listLetters(
  { letters }: Pick<DeadLetterDeps, 'letters'>,
  limit: number,
): Promise<readonly ListedLetter[]> {
  const found = await letters.receive(limit);
  await letters.release(found);
  return inOrder(found).map(listed);
}

export type DealtWith = {
  /** Those that were sent once more, or removed. */
  readonly done: readonly ListedLetter[];
  /** Those that were not, and lie there still. */
  readonly left: readonly ListedLetter[];
};

/**
 * Deals once more with what lies there, or with some of it by id: events go to the queue of the starter, schedules start what they should have.
 * What was sent is removed afterwards, so that it is never lost, and may be dealt with twice, which starts nothing twice.
 */
export async function redriveLetters(deps: DeadLetterDeps, ids: readonly string[]): Promise<DealtWith> {
  return dealWith(deps, ids, async ({ id, body }) => {
    const letter = readDeadLetter(id, body);
    if (letter.kind === 'schedule') await deps.start(letter.start);
    else if (letter.kind === 'event' && deps.events !== undefined) await deps.events.send(body);
    else return false;
    return true;
  });
}

/** Removes what lies there, or some of it by id. */
export function removeLetters(deps: Pick<DeadLetterDeps, 'letters'>, ids: readonly string[]): Promise<DealtWith> {
  return dealWith(deps, ids, async () => true);
}

async function dealWith(
  { letters }: Pick<DeadLetterDeps, 'letters'>,
  ids: readonly string[],
  act: (message: Message) => Promise<boolean>,
): Promise<DealtWith> {
  const found = inOrder(await letters.receive(MOST_LETTERS));
  const waiting = new Set(found);
  try {
    refuseUnknown(ids, found);
    const done: ListedLetter[] = [];
    const left: ListedLetter[] = [];
    for (const message of found) {
      const chosen = ids.length === 0 || ids.includes(message.id);
      if (!chosen) continue;
      if (await act(message)) {
        await letters.remove(message);
        waiting.delete(message);
        done.push(listed(message));
      } else left.push(listed(message));
    }
    return { done, left };
  } finally {
    await letters.release([...waiting]);
  }
}

function refuseUnknown(ids: readonly string[], found: readonly Message[]): void {
  const unknown = ids.filter((id) => !found.some((message) => message.id === id));
  if (unknown.length === 0) return;
  throw new InvalidInput(
    `no dead letter ${unknown.join(', ')}: expected ids that strata dead-letters list shows; nothing was changed`,
  );
}

function inOrder(messages: readonly Message[]): readonly Message[] {
  return messages.toSorted((a, b) => a.sentAt.getTime() - b.sentAt.getTime());
}

function listed({ id, body, sentAt, reason }: Message): ListedLetter {
  const { kind, about } = readDeadLetter(id, body);
  return { id, kind, about, sent_at: sentAt.toISOString(), reason };
}
