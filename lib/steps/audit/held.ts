import { z } from 'zod';
import type { Expectation, ModelSpec } from '../../core/spec.ts';
import { currentSchema, fieldByName } from '../../iceberg/schema.ts';
import { currentSnapshot, OWN_PROPERTY, rowsSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { KeysHeld } from '../../lake/facts/model-facts.ts';

export type UniqueExpectation = Extract<Expectation, { kind: 'unique' }>;

/**
 * The summary property by which a snapshot says which columns are unique in its rows, by their field ids, and on top of which
 * snapshot that was found. A commit that was repeated on top of another one says nothing.
 */
const UNIQUE = `${OWN_PROPERTY}unique`;

const HELD = z.object({ on: z.string().nullable(), ids: z.array(z.array(z.number())) });

/** What a new snapshot on top of a table is to say. */
export function sayUnique(
  base: TableMetadata | undefined,
  table: TableMetadata,
  held: readonly UniqueExpectation[],
): Readonly<Record<string, string>> {
  const ids = held.flatMap((one) => [idsOf(table, one) ?? []].filter((some) => some.length > 0));
  if (ids.length === 0) return {};
  const on = base === undefined ? undefined : currentSnapshot(base)?.['snapshot-id'];
  return { [UNIQUE]: JSON.stringify({ on: on?.toString() ?? null, ids }) };
}

/** By the columns of unique expectations, which were asked where a table was to be published: whether they held. */
export function keysHeld({ expect }: ModelSpec, unique: readonly UniqueExpectation[] | undefined): KeysHeld {
  const asked = unique === undefined ? [] : expect.filter((one): one is UniqueExpectation => one.kind === 'unique');
  return new Map(
    asked.flatMap((one) => {
      const held = { held: unique?.includes(one) === true, alone: one.columns.length === 1 };
      return one.columns.map((name) => [name, held] as const);
    }),
  );
}

/** Whether the rows of a table are known to be unique in some columns. Rewritten files have the rows of before. */
export function isKnownUnique(table: TableMetadata, expectation: UniqueExpectation): boolean {
  const snapshot = rowsSnapshot(table, currentSnapshot(table));
  const text = snapshot?.summary[UNIQUE];
  if (snapshot === undefined || text === undefined) return false;
  const held = HELD.safeParse(JSON.parse(text));
  if (!held.success || held.data.on !== (snapshot['parent-snapshot-id']?.toString() ?? null)) return false;
  const ids = String(idsOf(table, expectation));
  return held.data.ids.some((one) => String(one) === ids);
}

/** Undefined where the table lacks one of them. */
function idsOf(table: TableMetadata, { columns }: UniqueExpectation): readonly number[] | undefined {
  const schema = currentSchema(table);
  const ids = columns.flatMap((name) => fieldByName(schema, name)?.id ?? []);
  return ids.length === columns.length ? ids.sort((a, b) => a - b) : undefined;
}
