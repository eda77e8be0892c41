import type { EqualKeys } from '../../core/batch-recipe.ts';
import { type InputBytes, NO_INPUTS } from '../../core/input-bytes.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { Expectation, KeyedMode } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { findKnown, KNOWN_ROWS } from '../../lake/files/known-rows.ts';
import type { Session } from '../../ports.ts';
import { MAPPED } from '../../sql/batch-tables.ts';
import {
  condemnEqualKeys,
  countBroken,
  countMapped,
  createKeyDuplicates,
  createMapped,
  type RaisedRule,
  rejectMapped,
  renderBackwards,
  tryExpressions,
} from '../../sql/mapped.ts';
import { userSql } from '../../sql/user-sql.ts';
import type { BatchWork } from './batch-work.ts';
import { createGuardedRows, laterExpressions } from './guarded-model.ts';

type RowExpectation = Extract<Expectation, { kind: 'row' }>;

/** What became of the rows that the model made. */
export type Outcome = {
  readonly mapped: number;
  /** Rows that stand in `__rejected`, also those that never came to the model. */
  readonly rejected: number;
  readonly duplicates: number;
  readonly broken: Readonly<Record<string, number>>;
  /** Of the table, for the keys that it has. */
  readonly inputs: InputBytes;
};

/** `__mapped`. What of its rows may still raise is either tried now, or answered as rules by which they are rejected. */
export async function createMappedRows({
  session,
  context,
  model,
  recipe,
}: BatchWork): Promise<readonly RaisedRule[] | undefined> {
  if (recipe.guarded) return createGuardedRows(session, context, model, recipe);
  await session.run(createMapped(userSql(model.sql), recipe));
  const later = await laterExpressions(session, context, model);
  if (later.length > 0) await session.rows(tryExpressions(later.map(({ expression }) => expression)));
  return undefined;
}

/** Adds to `__rejected` the mapped rows for quarantine, and makes `__key_duplicates`: rows whose key came before. */
export async function rejectRows(
  work: BatchWork,
  raised: readonly RaisedRule[] | undefined,
  deps: StepDeps,
): Promise<Outcome> {
  const { session, model, recipe, table } = work;
  const expectations = model.expect.filter((e): e is RowExpectation => e.kind === 'row');
  const broken: Record<string, number> = {};
  if (expectations.length > 0) {
    const counted = (await session.rows(countBroken(expectations, raised !== undefined)))[0] ?? {};
    for (const { name } of expectations) broken[name] = Number(counted[name]);
  }
  const { equalKeys } = recipe;
  const required = isKeyed(model) ? keyedRules(model.mode) : { key: equalKeys?.key ?? [], sequence: [] };
  const rejecting = rejectMapped(
    expectations.filter((e) => e.policy === 'drop'),
    required,
    raised,
  );
  if (rejecting !== undefined) await session.run(rejecting);
  const holds = equalKeys?.known && table !== undefined;
  const inputs = holds ? await findKnown(session, { ...work, table }, MAPPED, deps) : NO_INPUTS;
  if (equalKeys !== null) await findEqualKeys(session, equalKeys);
  const counted = (await session.rows(countMapped(recipe)))[0];
  return {
    mapped: Number(counted?.['mapped']),
    rejected: Number(counted?.['rejected']),
    duplicates: Number(counted?.['duplicates']),
    broken,
    inputs,
  };
}

async function findEqualKeys(session: Session, { key, keep, known, fate }: EqualKeys): Promise<void> {
  await session.run(createKeyDuplicates(key, known ? KNOWN_ROWS : undefined, keep));
  if (fate.kind === 'dropped') return;
  for (const statement of condemnEqualKeys(key, fate.comparable ? KNOWN_ROWS : undefined)) await session.run(statement);
}

function keyedRules({ key, sequence, validTo }: KeyedMode): Parameters<typeof rejectMapped>[1] {
  const backwards = validTo === null ? [] : [renderBackwards(sequence, validTo)];
  return { key, sequence: [sequence], backwards };
}
