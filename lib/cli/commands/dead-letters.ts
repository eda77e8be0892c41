import {
  type DealtWith,
  type ListedLetter,
  listLetters,
  redriveLetters,
  removeLetters,
} from '../../remote/dead-letters/dead-letters.ts';
import { openDeadLetters } from '../../runtime/remote-dead-letters.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import { type Context, EXIT } from '../context.ts';
import { renderTable } from '../output/table.ts';

/** Lists what could not be delivered to a deployed pipeline, or dealt with. */
export async function list(context: Context, pipeline: string, limit: number, place: RemotePlace): Promise<number> {
  const found = await listLetters(await openDeadLetters(pipeline, place), limit);
  await context.answer(found, () => (found.length === 0 ? `no dead letters of ${pipeline}\n` : render(found, context)));
  return EXIT.done;
}

const COLUMNS = ['sent_at', 'kind', 'about', 'reason', 'id'] as const;

function render(found: readonly ListedLetter[], { layout }: Context): string {
  return renderTable(
    found,
    COLUMNS.map((name) => ({ name, whole: name !== 'reason' })),
    layout,
  );
}

/** Deals with them once more. Ends with 2 when some could not be. */
export async function redrive(
  context: Context,
  pipeline: string,
  ids: readonly string[],
  place: RemotePlace,
): Promise<number> {
  const dealt = await redriveLetters(await openDeadLetters(pipeline, place), ids);
  const there = context.at(place);
  await there.answer(dealt, () => told(dealt, 'sent once more', there));
  if (dealt.left.length === 0) return EXIT.done;
  there.note(
    `what is left are no events and no schedules; once it is dealt with: ${there.hint(`dead-letters delete ${pipeline} --id ${dealt.left.map(({ id }) => id).join(' ')}`)}`,
  );
  return EXIT.failed;
}

/** Removes them. */
export async function remove(
  context: Context,
  pipeline: string,
  ids: readonly string[],
  place: RemotePlace,
): Promise<number> {
  const dealt = await removeLetters(await openDeadLetters(pipeline, place), ids);
  await context.answer(dealt, () => told(dealt, 'removed', context));
  return EXIT.done;
}

function told({ done, left }: DealtWith, what: string, context: Context): string {
  const count = `${done.length} dead letter${done.length === 1 ? '' : 's'} ${what}\n`;
  return left.length === 0 ? count : `${count}left:\n${render(left, context)}`;
}
