import {
  EVENT_HASH,
  historyColumns,
  IS_CURRENT,
  KEY_HASH,
  logColumns,
  OP,
  SOURCE_FILE,
  VALID_FROM,
  VALID_TO,
} from '../core/keyed.ts';
import { metadataColumns } from '../core/metadata.ts';
import type { KeyedMode, ModelMode } from '../core/spec.ts';
import { type Column, type ColumnType, renderColumnType, sameType } from '../core/types.ts';
import type { KeyedDefinition, ModeDefinition } from '../define/modes.ts';
import { MAPPED_COLUMNS } from '../sql/bind.ts';
import { type Binding, checkCondition } from './conditions.ts';
import type { ModelDraft } from './draft.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { findColumn, showColumn, TRANSFORM_TYPES } from './table-columns.ts';
import { checkTieBreak } from './tie-break.ts';

export function isKeyed(mode: ModeDefinition): mode is KeyedDefinition {
  return mode.kind === 'upsert' || mode.kind === 'scd2';
}

/** The mode with its default spelled out: all columns but key, sequence and `validTo` are tracked. */
export function resolveMode(mode: ModeDefinition, columns: readonly Column[]): ModelMode {
  return isKeyed(mode) ? resolveKeyed(mode, columns) : mode;
}

function resolveKeyed(mode: KeyedDefinition, columns: readonly Column[]): KeyedMode {
  const others = [...mode.key, mode.sequence, mode.validTo];
  const track = mode.track ?? columns.map((column) => column.name).filter((name) => !others.includes(name));
  const { writeMode, clusterBy, ...rules } = mode;
  return {
    ...rules,
    track,
    ...(clusterBy === undefined ? {} : { clusterBy }),
    ...(writeMode === 'merge-on-read' ? { writeMode } : {}),
  };
}

/**
 * What readers of a model's table see: the model's columns, the interval of a history, metadata. `undefined` when its
 * mode names a sequence that is no column.
 */
export function tableColumnsOf(draft: ModelDraft, columns: readonly Column[]): readonly Column[] | undefined {
  if (!draft.modeSound) return undefined;
  if (!isKeyed(draft.mode)) return [...columns, ...metadataColumns(draft)];
  const mode = resolveKeyed(draft.mode, columns);
  return columns.some((column) => column.name === mode.sequence) ? shown(historyColumns(mode, columns)) : undefined;
}

/** What gold models see of a keyed table's log; `undefined` for a table without one. */
export function logColumnsOf(draft: ModelDraft, columns: readonly Column[]): readonly Column[] | undefined {
  return isKeyed(draft.mode) ? shown(logColumns(resolveKeyed(draft.mode, columns), columns)) : undefined;
}

function shown(columns: readonly Column[]): readonly Column[] {
  return columns.filter((column) => column.name !== KEY_HASH);
}

/** Notes columns of a model that have the name of one that its table gets by its mode or its metadata. */
export function checkAddedColumns(draft: ModelDraft, columns: readonly Column[], notes: Notes): boolean {
  const history = draft.mode.kind === 'scd2' ? [VALID_FROM, VALID_TO, IS_CURRENT] : [];
  const added = isKeyed(draft.mode) ? [...history, OP, EVENT_HASH, SOURCE_FILE, KEY_HASH] : [...draft.metadata];
  const taken = columns.filter((column) => added.includes(column.name.toLowerCase()));
  for (const { name } of taken) {
    const why = isKeyed(draft.mode) ? `mode ${draft.mode.kind}` : 'metadata';
    notes.add(
      `column ${showValue(name)}`,
      `the name of a column that ${why} adds`,
      `a name other than ${added.join(', ')} (${draft.sqlFile === null ? "name it with as: '...'" : 'name it with AS'})`,
    );
  }
  return taken.length === 0;
}

/** Notes what in a keyed mode the model's columns do not allow. */
export async function checkKeyed(
  binding: Binding,
  draft: ModelDraft,
  mode: KeyedDefinition,
  columns: readonly Column[],
): Promise<void> {
  const place = placeIn(draft.place, 'mode');
  checkKey(mode, columns, placeIn(place, 'key'), binding.notes);
  checkRanges(mode, columns, placeIn(place, 'key'), binding.notes);
  checkSequence(mode, columns, place, binding.notes);
  const fixed = [...mode.key, mode.sequence, mode.validTo];
  (mode.track ?? []).forEach((name, index, all) => {
    const at = placeIn(placeIn(place, 'track'), index);
    if (findColumn(name, columns, at, binding.notes) === undefined) return;
    if (fixed.includes(name))
      binding.notes.add(at, showValue(name), 'a column that is neither key, sequence nor validTo');
    else if (all.indexOf(name) < index) binding.notes.add(at, `${showValue(name)} again`, 'each column once');
  });
  const table = { schema: MAPPED_COLUMNS, name: draft.ref.name, columns: columns.map((column) => column.name) };
  if (mode.deleteWhen !== null)
    await checkCondition(binding, mode.deleteWhen, table, placeIn(place, 'deleteWhen'), true);
  if (mode.tieBreak !== null) await checkTieBreak(binding, mode.tieBreak, table, placeIn(place, 'tieBreak'));
}

/** One key column is hashed into buckets as Iceberg does it; several are hashed together by their text. */
function checkKey(mode: KeyedDefinition, columns: readonly Column[], place: string, notes: Notes): void {
  const types = mode.key.length === 1 ? TRANSFORM_TYPES.bucket : [...TRANSFORM_TYPES.bucket, 'boolean'];
  mode.key.forEach((name, index, all) => {
    const at = placeIn(place, index);
    const column = findColumn(name, columns, at, notes);
    if (column === undefined) return;
    if (!types.includes(column.type.kind)) notes.add(at, showColumn(column), `a column of type ${types.join(', ')}`);
    if (all.indexOf(name) < index) notes.add(at, `${showValue(name)} again`, 'each column once');
  });
}

/** Whose bounds files have whole, or as what is surely below and above. */
const RANGED: readonly ColumnType['kind'][] = [
  'int',
  'bigint',
  'decimal',
  'date',
  'timestamp',
  'timestamptz',
  'string',
];

/** Ranges are of the first column of the key. */
function checkRanges(mode: KeyedDefinition, columns: readonly Column[], place: string, notes: Notes): void {
  const first = columns.find(({ name }) => name === mode.key[0]);
  if (mode.clusterBy !== 'range' || first === undefined || RANGED.includes(first.type.kind)) return;
  notes.add(placeIn(place, 0), `${showColumn(first)} with clusterBy 'range'`, `a column of type ${RANGED.join(', ')}`);
}

function checkSequence(mode: KeyedDefinition, columns: readonly Column[], place: string, notes: Notes): void {
  const sequence = findColumn(mode.sequence, columns, placeIn(place, 'sequence'), notes);
  if (sequence !== undefined && !isOrderable(sequence.type))
    notes.add(placeIn(place, 'sequence'), showColumn(sequence), 'a column with an order: no list, binary or boolean');
  if (mode.key.includes(mode.sequence) && !isSnapshot(mode))
    notes.add(
      placeIn(place, 'sequence'),
      `${showValue(mode.sequence)}, which is in the key`,
      'a column outside the key, or upsert with a tieBreak, which says what counts of the rows with one key',
    );
  if (mode.validTo === null) return;
  const at = placeIn(place, 'validTo');
  const end = findColumn(mode.validTo, columns, at, notes);
  if (end === undefined || sequence === undefined) return;
  if (end.name === sequence.name || mode.key.includes(end.name))
    notes.add(at, showValue(end.name), 'a column that is neither key nor sequence');
  else if (!sameType(end.type, sequence.type))
    notes.add(at, showColumn(end), `a column of type ${renderColumnType(sequence.type)}, as the sequence is`);
}

function isOrderable(type: ColumnType): boolean {
  if (type.kind === 'struct') return type.fields.every((field) => isOrderable(field.type));
  return !['list', 'binary', 'boolean'].includes(type.kind);
}

/** A row that is about one thing at one time: it may be sent again, with other figures, but nothing follows it. */
function isSnapshot({ kind, tieBreak, missing }: KeyedDefinition): boolean {
  return kind === 'upsert' && tieBreak !== null && missing === 'keep';
}
