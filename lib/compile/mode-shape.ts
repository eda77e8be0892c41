import { z } from 'zod';
import type { Layer } from '../core/spec.ts';
import type { KeyedDefinition, ModeDefinition } from '../define/modes.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, isRecord, readFields } from './shape.ts';

const kind = { schema: z.string(), expected: 'a kind' } as const;
const names = z.array(z.string().min(1)).min(1);
const orNull = <T>(schema: z.ZodType<T>): z.ZodType<T | null> => schema.nullable();
const condition = (example: string): Field<string | null> => ({
  schema: orNull(z.string().min(1)),
  expected: `SQL as text, such as "${example}"`,
});

const APPEND = {
  kind,
  dedupe: {
    schema: z
      .union([
        z.strictObject({ by: z.literal('row') }),
        z.strictObject({
          by: z.literal('key'),
          columns: z.array(z.string()).min(1),
          keep: z.string().min(1).exactOptional(),
        }),
      ])
      .nullable(),
    expected: "'row', { key: ['c'] } or { key: ['c'], keep: 'd desc' }",
  },
  onDuplicate: { schema: z.enum(['drop', 'condemn']), expected: "'drop' or 'condemn'" },
} as const satisfies Record<string, Field>;

const NOTHING = { kind } as const satisfies Record<string, Field>;

const KEYED = {
  kind,
  key: { schema: names, expected: 'a column name, or a list of at least one', required: true },
  sequence: {
    schema: z.string().min(1),
    expected: 'the name of the column that orders the events of a key',
    required: true,
  },
  track: { schema: orNull(names), expected: 'a list of at least one column name; leave it out for all columns' },
  deleteWhen: condition("op = 'D'"),
  tieBreak: condition('salary desc'),
  missing: { schema: z.enum(['keep', 'delete']), expected: "'keep' or 'delete'" },
  buckets: { schema: orNull(z.number().int().min(1).max(4096)), expected: 'a whole number from 1 to 4096' },
  clusterBy: { schema: z.enum(['hash', 'range']), expected: "'hash' or 'range'" },
  writeMode: { schema: z.enum(['copy-on-write', 'merge-on-read']), expected: "'copy-on-write' or 'merge-on-read'" },
} as const satisfies Record<string, Field>;

const SCD2 = {
  ...KEYED,
  validTo: { schema: orNull(z.string().min(1)), expected: 'the name of a column' },
  coalesce: { schema: z.boolean(), expected: 'true or false' },
} as const satisfies Record<string, Field>;

const MODE =
  "append(), append({ dedupe: 'row' }), append({ dedupe: { key: ['c'] } }), replace(), full(), " +
  "upsert({ key: 'c', sequence: 'd' }) or scd2({ key: 'c', sequence: 'd' })";

/** What a model without a mode has; gold is computed whole. */
export function defaultMode(layer: Layer): ModeDefinition {
  return layer === 'silver' ? { kind: 'append', dedupe: null, onDuplicate: 'drop' } : { kind: 'full' };
}

/** The mode of a silver table; `undefined` when it is left out, or wrong and noted. */
export function readMode(value: unknown, place: string, notes: Notes): ModeDefinition | undefined {
  if (value === undefined) return undefined;
  const found = isRecord(value) ? value['kind'] : undefined;
  const before = notes.found.length;
  const mode = readKind(found, value, place, notes);
  return notes.found.length === before ? mode : undefined;
}

function readKind(found: unknown, value: unknown, place: string, notes: Notes): ModeDefinition | undefined {
  switch (found) {
    case 'append':
      return readAppend(value, place, notes);
    case 'replace':
    case 'full':
      readFields(NOTHING, value, place, MODE, notes);
      return { kind: found };
    case 'upsert':
    case 'scd2':
      return readKeyed(found, value, place, notes);
    default:
      notes.add(place, showValue(value), MODE);
      return undefined;
  }
}

function readAppend(value: unknown, place: string, notes: Notes): ModeDefinition | undefined {
  const read = readFields(APPEND, value, place, MODE, notes) ?? {};
  const { dedupe = null, onDuplicate = 'drop' } = read;
  if (onDuplicate === 'condemn' && dedupe?.by !== 'key') {
    const got = `'condemn' with ${dedupe === null ? 'no dedupe' : "dedupe 'row'"}`;
    notes.add(placeIn(place, 'onDuplicate'), got, "dedupe: { key: ['c'] }, which says when two rows are the same");
  }
  return { kind: 'append', dedupe, onDuplicate };
}

function readKeyed(
  found: KeyedDefinition['kind'],
  value: unknown,
  place: string,
  notes: Notes,
): KeyedDefinition | undefined {
  noteHistoryOnly(found, value, place, notes);
  const read = readFields(SCD2, value, place, MODE, notes) ?? {};
  if (read.clusterBy === 'range') noteRanges(read, place, notes);
  if (read.key === undefined || read.sequence === undefined) return undefined;
  return {
    kind: found,
    key: read.key,
    sequence: read.sequence,
    track: read.track ?? null,
    deleteWhen: read.deleteWhen ?? null,
    tieBreak: read.tieBreak ?? null,
    missing: read.missing ?? 'keep',
    validTo: read.validTo ?? null,
    coalesce: read.coalesce ?? true,
    buckets: read.buckets ?? null,
    ...(read.clusterBy === undefined ? {} : { clusterBy: read.clusterBy }),
    ...(read.writeMode === undefined ? {} : { writeMode: read.writeMode }),
  };
}

/** Files of ranges have no buckets, and merges write them anew. */
function noteRanges(
  { buckets, writeMode }: { readonly buckets?: number | null | undefined; readonly writeMode?: string | undefined },
  place: string,
  notes: Notes,
): void {
  if (typeof buckets === 'number')
    notes.add(placeIn(place, 'buckets'), `${buckets} with clusterBy 'range'`, "no buckets, or clusterBy 'hash'");
  if (writeMode === 'merge-on-read')
    notes.add(
      placeIn(place, 'writeMode'),
      "'merge-on-read' with clusterBy 'range'",
      "'copy-on-write', or clusterBy 'hash'",
    );
}

/** A table of one row per key has no versions to end or to join. */
function noteHistoryOnly(found: KeyedDefinition['kind'], value: unknown, place: string, notes: Notes): void {
  if (found !== 'upsert' || !isRecord(value)) return;
  const given = { validTo: value['validTo'] ?? null, coalesce: value['coalesce'] ?? true };
  if (given.validTo !== null)
    notes.add(
      placeIn(place, 'validTo'),
      `${showValue(given.validTo)} in upsert`,
      'scd2({ ... }), which keeps versions',
    );
  if (given.coalesce !== true)
    notes.add(
      placeIn(place, 'coalesce'),
      `${showValue(given.coalesce)} in upsert`,
      'scd2({ ... }), which keeps versions',
    );
}
