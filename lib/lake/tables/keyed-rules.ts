import { createHash } from 'node:crypto';
import type { KeyedMode } from '../../core/spec.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';

/** Snapshot summary key: by which rules _all_ rows of a keyed table were made. */
export const RULES_HASH = 'strata.rules-hash';

/** Changes when a mode makes other rows of the same events. */
export function hashRules(mode: KeyedMode): string {
  const { kind, key, sequence, track, tieBreak, missing, validTo, coalesce } = mode;
  const text = JSON.stringify([kind, key, sequence, track, tieBreak, missing, validTo, coalesce]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Whether a table's rows are those that the mode makes, so that a merge may go on from them; true for an empty table. */
export function followsRules(mode: KeyedMode, table: TableMetadata | undefined): boolean {
  const snapshot = snapshotOf(table);
  return snapshot === undefined || snapshot.summary[RULES_HASH] === hashRules(mode);
}

/**
 * What a merge's snapshot says: a new and a rebuilt table follow the mode, while any other merge of a changed mode leaves
 * the rows of keys that it does not touch as they were.
 */
export function rulesAfter(
  mode: KeyedMode,
  table: TableMetadata | undefined,
  rebuilt: boolean,
): Readonly<Record<string, string>> {
  const snapshot = snapshotOf(table);
  const rules = snapshot === undefined || rebuilt ? hashRules(mode) : snapshot.summary[RULES_HASH];
  return rules === undefined ? {} : { [RULES_HASH]: rules };
}

function snapshotOf(table: TableMetadata | undefined): Snapshot | undefined {
  return table === undefined ? undefined : currentSnapshot(table);
}
