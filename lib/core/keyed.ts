import type { KeyedMode, ModelMode, ModelSpec, PartitionField, SilverModel } from './spec.ts';
import type { TableId } from './tables.ts';
import type { Column, ColumnType } from './types.ts';

/** Columns that a history table has beside the model's own. */
export const VALID_FROM = 'valid_from';
export const VALID_TO = 'valid_to';
export const IS_CURRENT = 'is_current';

/** Columns that a log has beside the model's own. */
export const OP = '_op';
export const EVENT_HASH = '_event_hash';
export const SOURCE_FILE = '_source_file';

/** Stands for a composite key where one column is needed, in the history as in the log. */
export const KEY_HASH = '_key_hash';

/** `silver.<table>__log` holds the events of a keyed table; other names have no `__`. */
export const LOG_SUFFIX = '__log';

export type KeyedModel = SilverModel & { readonly mode: KeyedMode };

export function isKeyedMode(mode: ModelMode): mode is KeyedMode {
  return mode.kind === 'upsert' || mode.kind === 'scd2';
}

export function isKeyed(model: ModelSpec): model is KeyedModel {
  return model.layer === 'silver' && isKeyedMode(model.mode);
}

/** The id under which a run knows a keyed model's log, such as `silver.customers__log`. */
export function logModelId(model: { readonly id: string }): string {
  return `${model.id}${LOG_SUFFIX}`;
}

export function logTable(table: TableId): TableId {
  return { ...table, name: `${table.name}${LOG_SUFFIX}` };
}

/** What readers of a keyed table see: the model's columns and, for `scd2`, the interval in the type of the sequence. */
export function historyColumns(mode: KeyedMode, columns: readonly Column[]): readonly Column[] {
  const sequence = columns.find((c) => c.name === mode.sequence);
  if (sequence === undefined) throw new RangeError(`sequence column ${mode.sequence} is not a column of the model`);
  const interval: readonly Column[] = [
    { name: VALID_FROM, type: sequence.type },
    { name: VALID_TO, type: sequence.type },
    { name: IS_CURRENT, type: { kind: 'boolean' } },
  ];
  return [...columns, ...(mode.kind === 'scd2' ? interval : []), ...keyHashColumn(mode)];
}

/** Every distinct event of every file: the model's columns, what it does to its key, its hash and its file. */
export function logColumns(mode: KeyedMode, columns: readonly Column[]): readonly Column[] {
  const own: readonly Column[] = [OP, EVENT_HASH, SOURCE_FILE].map((name) => ({ name, type: { kind: 'string' } }));
  return [...columns, ...own, ...keyHashColumn(mode)];
}

/** The columns by which events are told apart. */
export type EventColumns = {
  /** The model's own, as the pipeline has them. */
  readonly own: readonly Column[];
  /** Those that drift brought, or that only the tables have, in the order of their names. They say nothing where they are null. */
  readonly others: readonly Column[];
};

/** Whatever columns a run knows of beyond the model's, an event is the same. */
export function eventColumnsOf(model: { readonly columns: readonly Column[] }, all: readonly Column[]): EventColumns {
  const own = new Set(model.columns.map(({ name }) => name));
  const others = all.filter(({ name }) => !own.has(name));
  return { own: model.columns, others: others.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Both tables are partitioned alike. */
export function keyBuckets(mode: KeyedMode, buckets: number): readonly PartitionField[] {
  return [{ column: bucketColumn(mode), transform: { kind: 'bucket', width: buckets } }];
}

export function bucketColumn(mode: KeyedMode): string {
  const [only, ...others] = mode.key;
  return only === undefined || others.length > 0 ? KEY_HASH : only;
}

function keyHashColumn(mode: KeyedMode): readonly Column[] {
  return mode.key.length > 1 ? [{ name: KEY_HASH, type: { kind: 'bigint' } }] : [];
}

/** Keys of which those that change together lie near each other, since they are given out in order. */
const IN_ORDER: readonly ColumnType['kind'][] = ['int', 'bigint'];

/** Whether keys that are near each other lie in one file, rather than in buckets: as a mode asks, else where the key is one whole number. */
export function liesInRanges({ mode, columns }: Pick<KeyedModel, 'mode' | 'columns'>): boolean {
  if (mode.clusterBy !== undefined) return mode.clusterBy === 'range';
  if (mode.buckets !== null || mode.writeMode === 'merge-on-read' || mode.key.length > 1) return false;
  return columns.some(({ name, type }) => name === mode.key[0] && IN_ORDER.includes(type.kind));
}

/** The columns by whose change a mode makes another row: a set; null where the latest row counts, whatever has changed. */
export function trackedBy({ kind, track }: Pick<KeyedMode, 'kind' | 'track'>): readonly string[] | null {
  return kind === 'upsert' ? null : track.toSorted();
}

/** Whether merges leave data files as they are, and say beside them which of their rows are gone. */
export function mergesOnRead({ mode }: Pick<SilverModel, 'mode'>): boolean {
  return isKeyedMode(mode) && mode.writeMode === 'merge-on-read';
}

/** What of a mode rows follow from. */
export function asRules<Mode extends Pick<KeyedMode, 'writeMode' | 'clusterBy'>>(mode: Mode): Omit<Mode, 'writeMode'> {
  const { writeMode: _how, ...rules } = mode;
  // Earlier releases remembered with them that keys lie in ranges, and not that they lie in buckets.
  return rules.clusterBy === 'hash' ? { ...rules, clusterBy: undefined } : rules;
}

/** A mode that tracks nothing but what a table has ever had. */
export function knowing(mode: KeyedMode, columns: ReadonlySet<string>): KeyedMode {
  return { ...mode, track: mode.track.filter((name) => columns.has(name)) };
}
