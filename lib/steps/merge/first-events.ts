import type { KeyedMode } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Column } from '../../core/types.ts';
import type { Session } from '../../ports.ts';
import { countKeys, createSeveral, createStaged, selectKeySpan } from '../../sql/first-load.ts';

/** Bits for each event above which a table of the keys costs no more. */
const BITS_OF_EVENT = 64n;

/** 32 MB for each thread of the engine. */
const MOST_BITS = 2n ** 28n;

/**
 * Opens the first events of some buckets, and finds the keys that have several of them; answers how many events there are. Most first
 * loads have one for each key. Where keys are whole numbers not far from each other, counting them by bits tells so, in a tenth of the
 * time and the memory that grouping them takes; if there are fewer keys than events they are grouped all the same.
 */
export async function openFirst(
  session: Session,
  mode: KeyedMode,
  columns: readonly Column[],
  events: Sql,
): Promise<number> {
  await session.run(createStaged(events));
  const span = (await session.rows(selectKeySpan(mode, columns)))[0];
  const staged = Number(span?.['staged']);
  const alone = await areAlone(session, mode, { staged, least: span?.['least'], greatest: span?.['greatest'] });
  for (const statement of createSeveral(mode, alone)) await session.run(statement);
  return staged;
}

type KeySpan = { readonly staged: number; readonly least: unknown; readonly greatest: unknown };

async function areAlone(session: Session, mode: KeyedMode, { staged, ...span }: KeySpan): Promise<boolean> {
  const [least, greatest] = [asWhole(span.least), asWhole(span.greatest)];
  if (least === undefined || greatest === undefined) return false;
  const bits = greatest - least + 1n;
  // Fewer values than events: some key has several.
  if (bits < BigInt(staged) || bits > BITS_OF_EVENT * BigInt(staged) || bits > MOST_BITS) return false;
  return Number((await session.rows(countKeys(mode, least, greatest)))[0]?.['different']) === staged;
}

function asWhole(value: unknown): bigint | undefined {
  return typeof value === 'string' ? BigInt(value) : undefined;
}
