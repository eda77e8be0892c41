import { eventColumnsOf, historyColumns } from '../../lib/core/keyed.ts';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import {
  createFresh,
  createKeyEvents,
  createKnown,
  createLate,
  createRecomputed,
  createTouched,
  HISTORY,
  LOG,
  NEW,
  renderHistory,
  type Scope,
} from '../../lib/sql/keyed.ts';
import type { Handmade } from './handmade.ts';

export const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'int' } },
  { name: 'seq', type: { kind: 'int' } },
  { name: 'price', type: { kind: 'int' } },
  { name: 'ends', type: { kind: 'int' } },
];
/** By which events are told apart. */
export const TOLD_APART = eventColumnsOf({ columns: COLUMNS }, COLUMNS);
const OWN = 'id INTEGER, seq INTEGER, price INTEGER, ends INTEGER';
const EVENT = `${OWN}, _op VARCHAR, _event_hash VARCHAR, _source_file VARCHAR, __bucket INTEGER`;
const INTERVAL = 'valid_from INTEGER, valid_to INTEGER, is_current BOOLEAN';

export const SCD2: KeyedMode = {
  kind: 'scd2',
  key: ['id'],
  sequence: 'seq',
  track: ['price'],
  deleteWhen: null,
  tieBreak: null,
  missing: 'keep',
  validTo: null,
  coalesce: true,
  buckets: 4,
};
export const UPSERT: KeyedMode = { ...SCD2, kind: 'upsert' };
export const STAGED: Scope = { all: false, withdrawn: [] };

export type Rows = readonly string[];
export type Values = readonly (readonly unknown[])[];

export type KeyedMerges = {
  /**
   * Starts over with a log, a history and staged events. Events are `id, seq, price, ends, op, hash, file`; rows of the
   * history have the interval in their place, and none when `mode` is upsert. All are of bucket `id % 4`.
   */
  stage(log: Rows, history: Rows, staged: Rows, mode?: KeyedMode): Promise<void>;
  /** The merge up to the events of the touched keys. */
  toEvents(mode: KeyedMode, scope?: Scope): Promise<void>;
  /** The new history: `id, seq, price`, or `id, price` with the interval. */
  merged(mode: KeyedMode, scope?: Scope): Promise<Values>;
};

/** Merges of keyed tables over rows by hand. */
export function keyedMerges(db: Handmade): KeyedMerges {
  const inBuckets = (rows: Rows): Rows => rows.map((row) => `${row}, ${row.split(',')[0]} % 4`);
  const toEvents = async (mode: KeyedMode, scope = STAGED): Promise<void> => {
    await db.run(
      createLate(mode, true),
      createKnown(mode, scope),
      createFresh(mode, TOLD_APART, scope.withdrawn),
      createTouched(mode, scope),
    );
    await db.run(createKeyEvents(mode, COLUMNS, scope));
  };
  return {
    async stage(log, history, staged, mode = SCD2) {
      await db.clear();
      await db.table(LOG, EVENT, inBuckets(log));
      await db.table(NEW, EVENT, inBuckets(staged));
      const interval = mode.kind === 'upsert' ? '' : `, ${INTERVAL}`;
      await db.table(HISTORY, `${OWN}${interval}, __bucket INTEGER`, inBuckets(history));
    },
    toEvents,
    async merged(mode, scope = STAGED) {
      await toEvents(mode, scope);
      await db.run(createRecomputed(mode, COLUMNS, TOLD_APART));
      const history = renderHistory(mode, historyColumns(mode, COLUMNS));
      const columns = mode.kind === 'upsert' ? 'id, seq, price' : 'id, price, valid_from, valid_to';
      return db.values(`SELECT ${columns} FROM ${history} ORDER BY ALL`);
    },
  };
}
