import { createHash } from 'node:crypto';
import type { KeyedModel } from '../../core/keyed.ts';
import { renameMode } from '../../core/renamed-model.ts';
import type { Renamed } from '../../core/renames.ts';
import type { KeyedMode } from '../../core/spec.ts';
import { withRenamed } from '../../iceberg/rename.ts';
import { currentSchema } from '../../iceberg/schema.ts';
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

/**
 * Whether a table's rows are those that the mode makes, so that a merge may go on from them; true for an empty table. Columns
 * that had other names when the rows were made are the same columns: `renamed` has the names that the table may still have.
 */
export function followsRules(mode: KeyedMode, table: TableMetadata | undefined, renamed: Renamed = {}): boolean {
  const snapshot = snapshotOf(table);
  if (table === undefined || snapshot === undefined) return true;
  const names = namesThen(withRenamed(table, renamed), snapshot);
  return [mode, renameMode(mode, names)].some((one) => snapshot.summary[RULES_HASH] === hashRules(one));
}

/** By the name of now: that which a column had when a snapshot was written. */
function namesThen(table: TableMetadata, snapshot: Snapshot): ReadonlyMap<string, string> {
  const id = snapshot['schema-id'];
  const then = table.schemas.find((one) => one['schema-id'] === id && id !== table['current-schema-id']);
  if (then === undefined) return new Map();
  const fields = new Map(then.fields.map((field) => [field.id, field.name]));
  return new Map(currentSchema(table).fields.map(({ id: field, name }) => [name, fields.get(field) ?? name]));
}

/**
 * What a merge's snapshot says: a new and a rebuilt table follow the mode, while any other merge of a changed mode leaves
 * the rows of keys that it does not touch as they were.
 */
export function rulesAfter(
  { mode, renamed }: Pick<KeyedModel, 'mode' | 'renamed'>,
  table: TableMetadata | undefined,
  rebuilt: boolean,
): Readonly<Record<string, string>> {
  const follows = rebuilt || followsRules(mode, table, renamed);
  const rules = follows ? hashRules(mode) : snapshotOf(table)?.summary[RULES_HASH];
  return rules === undefined ? {} : { [RULES_HASH]: rules };
}

function snapshotOf(table: TableMetadata | undefined): Snapshot | undefined {
  return table === undefined ? undefined : currentSnapshot(table);
}
