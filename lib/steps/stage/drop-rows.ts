import { isKeyed } from '../../core/keyed.ts';
import type { Expectation, KeyedMode, SilverModel } from '../../core/spec.ts';
import { dedupeColumns, KNOWN_ROWS } from '../../lake/files/known-rows.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { dedupesByHash } from '../../lake/tables/table-state.ts';
import { condemnsDuplicates } from '../../plan/stage-units.ts';
import type { Session } from '../../ports.ts';
import {
  condemnKeyDuplicates,
  countBroken,
  countDropped,
  createDrops,
  createKeyDuplicates,
  createMapped,
  type RaisedRule,
  renderBackwards,
  tryExpressions,
} from '../../sql/mapped.ts';
import { userSql } from '../../sql/user-sql.ts';
import { createGuardedRows, laterExpressions } from './guarded-model.ts';

type RowExpectation = Extract<Expectation, { kind: 'row' }>;

export function rowExpectations(model: SilverModel): readonly RowExpectation[] {
  return model.expect.filter((e) => e.kind === 'row');
}

/** What became of mapped rows that do not reach the table. */
export type Dropped = {
  readonly mapped: number;
  readonly quarantined: number;
  readonly duplicates: number;
  readonly broken: Readonly<Record<string, number>>;
};

/** `__mapped`. What of its rows may still raise is either tried now, or answered as rules by which they are dropped. */
export async function createMappedRows(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  guarded: boolean,
): Promise<readonly RaisedRule[] | undefined> {
  if (guarded) return createGuardedRows(session, context, model);
  await session.run(createMapped(userSql(model.sql)));
  const later = await laterExpressions(session, context, model);
  if (later.length > 0) await session.rows(tryExpressions(later.map(({ expression }) => expression)));
  return undefined;
}

/** `__drops` and `__key_duplicates`: mapped rows for quarantine, and rows whose key came before. */
export async function dropRows(
  session: Session,
  model: SilverModel,
  known: boolean,
  raised: readonly RaisedRule[] | undefined,
): Promise<Dropped> {
  const expectations = rowExpectations(model);
  const broken: Record<string, number> = {};
  if (expectations.length > 0) {
    const counted = (await session.rows(countBroken(expectations, raised !== undefined)))[0] ?? {};
    for (const { name } of expectations) broken[name] = Number(counted[name]);
  }
  const key = keyOf(model);
  await session.run(
    createDrops(
      expectations.filter((e) => e.policy === 'drop'),
      isKeyed(model) ? keyedRules(model.mode) : { key, sequence: [] },
      raised,
    ),
  );
  if (key.length > 0) await session.run(createKeyDuplicates(key, known ? KNOWN_ROWS : undefined));
  if (condemnsDuplicates(model)) {
    const comparable = known && model.metadata.includes('row_hash') ? KNOWN_ROWS : undefined;
    for (const statement of condemnKeyDuplicates(key, comparable)) await session.run(statement);
  }
  const counted = (await session.rows(countDropped(key.length > 0)))[0];
  return {
    mapped: Number(counted?.['mapped']),
    quarantined: Number(counted?.['quarantined']),
    duplicates: Number(counted?.['duplicates']),
    broken,
  };
}

function keyedRules({ key, sequence, validTo }: KeyedMode): Parameters<typeof createDrops>[1] {
  const backwards = validTo === null ? [] : [renderBackwards(sequence, validTo)];
  return { key, sequence: [sequence], backwards };
}

function keyOf(model: SilverModel): readonly string[] {
  return dedupesByHash(model) ? [] : dedupeColumns(model);
}
