import type { SilverModel } from '../core/spec.ts';
import type { BoundModel } from './draft.ts';
import { isKeyed } from './keyed-checks.ts';
import { type Notes, placeIn } from './notes.ts';

const TIMES: readonly string[] = ['date', 'timestamp', 'timestamptz'];

/**
 * After how long which rows come too late: by the sequence of a keyed table, or by the one time that the table is partitioned by.
 * Notes a table that has neither.
 */
export function closeAfterOf({ parsed, columns }: BoundModel, notes: Notes): SilverModel['closeAfter'] {
  const { closeAfter: days, mode, partitionBy, place } = parsed.draft;
  if (days === undefined) return undefined;
  const named = isKeyed(mode) ? [mode.sequence] : partitionBy.map(({ field }) => field.column);
  const times = [...new Set(named)].filter((name) =>
    columns.some((column) => column.name === name && TIMES.includes(column.type.kind)),
  );
  const [column, ...others] = times;
  if (column !== undefined && others.length === 0) return { column, days };
  const expected =
    'a sequence that is a date or time, or one column of that kind in partitionBy, by which rows are late';
  notes.add(
    placeIn(place, 'closeAfter'),
    times.length === 0 ? 'a table without a time' : times.join(' and '),
    expected,
  );
  return undefined;
}
