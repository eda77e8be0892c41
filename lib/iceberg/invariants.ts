import { UnreadableTable } from '../core/errors.ts';
import { MAIN } from './snapshot.ts';
import type { IcebergType, Schema, Snapshot, StructType, TableMetadata } from './types.ts';

/** What holds between a table and the one it becomes. Each looks at (next, current); current is undefined for a new one. */
type Invariant = (next: TableMetadata, current: TableMetadata | undefined) => boolean;

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  'the uuid never changes': (next, current) =>
    next['table-uuid'] !== '' && (current === undefined || next['table-uuid'] === current['table-uuid']),

  'the location never changes': (next, current) =>
    next.location !== '' && (current === undefined || next.location === current.location),

  'schemas, specs and sort orders are never edited': (next, current) =>
    current === undefined ||
    (startsWith(next.schemas, current.schemas) &&
      startsWith(next['partition-specs'], current['partition-specs']) &&
      startsWith(next['sort-orders'], current['sort-orders'])),

  'ids name one schema, spec, sort order and snapshot each': (next) =>
    distinct(next.schemas.map((one) => one['schema-id'])) &&
    distinct(next['partition-specs'].map((one) => one['spec-id'])) &&
    distinct(next['sort-orders'].map((one) => one['order-id'])) &&
    idsOf(next.snapshots).size === next.snapshots.length,

  'current ids are known': (next) =>
    next.schemas.some((one) => one['schema-id'] === next['current-schema-id']) &&
    next['partition-specs'].some((one) => one['spec-id'] === next['default-spec-id']) &&
    next['sort-orders'].some((one) => one['order-id'] === next['default-sort-order-id']),

  'field ids are never reused': (next, current) => {
    const known = new Set((current?.schemas ?? []).flatMap(fieldIds));
    const added = next.schemas.slice(current?.schemas.length ?? 0).flatMap(fieldIds);
    return added.every((id) => known.has(id) || id > (current?.['last-column-id'] ?? 0));
  },

  'field ids are unique in a schema and counted': (next, current) =>
    next.schemas
      .slice(current?.schemas.length ?? 0)
      .map(fieldIds)
      .every((ids) => distinct(ids) && ids.every((id) => id <= next['last-column-id'])),

  'the current snapshot exists and is where main points': (next) => {
    const id = next['current-snapshot-id'] ?? null;
    const main = next.refs?.[MAIN]?.['snapshot-id'] ?? id;
    return id === main && (id === null || next.snapshots.some((one) => one['snapshot-id'] === id));
  },

  'new snapshots have new sequence numbers and known schemas': (next, current) => {
    const known = idsOf(current?.snapshots ?? []);
    const added = next.snapshots.filter((one) => !known.has(one['snapshot-id']));
    const last = current?.['last-sequence-number'] ?? 0n;
    return added.every(
      (one) =>
        one['sequence-number'] > last &&
        one['sequence-number'] <= next['last-sequence-number'] &&
        next.schemas.some((schema) => schema['schema-id'] === one['schema-id']),
    );
  },

  'the sequence number never shrinks': (next, current) =>
    next['last-sequence-number'] >= (current?.['last-sequence-number'] ?? 0n),

  'time never runs backwards': (next, current) => {
    const from = current?.['snapshot-log'].at(-1)?.['timestamp-ms'] ?? 0n;
    const times = next['snapshot-log'].slice(-1).map((one) => one['timestamp-ms']);
    return [from, ...times, next['last-updated-ms']].every((time, at, all) => time >= (all[at - 1] ?? 0n));
  },

  'branches and tags name only snapshots that exist, or that were gone before': (next, current) => {
    const known = idsOf(next.snapshots);
    const before = idsOf(current?.snapshots ?? []);
    const refs = Object.entries(next.refs ?? {});
    return refs.every(([name, { 'snapshot-id': id }]) => {
      return known.has(id) || (current?.refs?.[name]?.['snapshot-id'] === id && !before.has(id));
    });
  },

  'the log names only snapshots that exist': (next) => {
    const known = idsOf(next.snapshots);
    return next['snapshot-log'].every((one) => known.has(one['snapshot-id']));
  },
};

/** Throws UnreadableTable naming the first invariant that the change would break: nobody could read its result. */
export function assertInvariants(next: TableMetadata, current: TableMetadata | undefined): void {
  for (const [name, holds] of Object.entries(INVARIANTS)) {
    if (!holds(next, current)) {
      throw new UnreadableTable(`refused a change of ${next.location || 'a new table'} that breaks: ${name}`);
    }
  }
}

/** The ids of a list of snapshots, which is never changed in place: several invariants ask for them, and the next change. */
const ids = new WeakMap<readonly Snapshot[], ReadonlySet<bigint>>();

function idsOf(snapshots: readonly Snapshot[]): ReadonlySet<bigint> {
  const known = ids.get(snapshots) ?? new Set(snapshots.map((one) => one['snapshot-id']));
  ids.set(snapshots, known);
  return known;
}

function distinct(ids: readonly (number | bigint)[]): boolean {
  return new Set(ids).size === ids.length;
}

/** Updates append to these lists, so an untouched element is the same object. */
function startsWith<T>(next: readonly T[], current: readonly T[]): boolean {
  return current.every((one, at) => next[at] === one);
}

function fieldIds(schema: Schema | StructType): readonly number[] {
  return schema.fields.flatMap((field) => [field.id, ...idsInside(field.type)]);
}

function idsInside(type: IcebergType): readonly number[] {
  if (typeof type === 'string') return [];
  return type.type === 'list' ? [type['element-id'], ...idsInside(type.element)] : fieldIds(type);
}
