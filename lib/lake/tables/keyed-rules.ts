import { createHash } from 'node:crypto';
import { type KeyedModel, knowing, trackedBy } from '../../core/keyed.ts';
import { renameMode } from '../../core/renamed-model.ts';
import type { Renamed } from '../../core/renames.ts';
import type { KeyedMode } from '../../core/spec.ts';
import { withRenamed } from '../../iceberg/rename.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { currentSnapshot, rowsSnapshot } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';

/** Snapshot summary key: by which rules _all_ rows of a keyed table were made. */
export const RULES_HASH = 'strata.rules-hash';

/** Changes when a mode makes other rows of the same events. */
export function hashRules(mode: KeyedMode): string {
  return hash(mode, trackedBy(mode));
}

/** Earlier releases told tracked columns apart by their order too. */
function formerHash(mode: KeyedMode): string {
  return hash(mode, mode.track);
}

function hash({ kind, key, sequence, tieBreak, missing, validTo, coalesce }: KeyedMode, track: unknown): string {
  const text = JSON.stringify([kind, key, sequence, track, tieBreak, missing, validTo, coalesce]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/**
 * Whether a table's rows are those that the mode makes, so that a merge may go on from them; true for an empty table. Columns
 * that had other names when the rows were made are the same columns: `renamed` has the names that the table may still have.
 * One that the table never had is null in all of its events, so that tracking it changes none of its rows.
 */
export function followsRules(mode: KeyedMode, table: TableMetadata | undefined, renamed: Renamed = {}): boolean {
  const snapshot = snapshotOf(table);
  if (table === undefined || snapshot === undefined) return true;
  const then = renameMode(mode, namesThen(withRenamed(table, renamed), snapshot));
  const known = new Set(table.schemas.flatMap((schema) => schema.fields.map(({ name }) => name)));
  const made = snapshot.summary[RULES_HASH];
  return [mode, then, knowing(then, known)].some((one) => made === hashRules(one) || made === formerHash(one));
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
 * What a merge's snapshot says: a new and a rebuilt table follow the mode, while after any other merge of a changed mode no
 * rules have made all rows, since those of keys that it does not touch are as they were.
 */
export function rulesAfter(
  { mode, renamed }: Pick<KeyedModel, 'mode' | 'renamed'>,
  table: TableMetadata | undefined,
  rebuilt: boolean,
): Readonly<Record<string, string>> {
  return rebuilt || followsRules(mode, table, renamed) ? { [RULES_HASH]: hashRules(mode) } : {};
}

function snapshotOf(table: TableMetadata | undefined): Snapshot | undefined {
  return table === undefined ? undefined : rowsSnapshot(table, currentSnapshot(table));
}
