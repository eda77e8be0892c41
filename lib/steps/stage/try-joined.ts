import { EngineError } from '../../core/errors.ts';
import { modelId, type SilverModel, type SourceSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { bindReads, placeOf } from '../../lake/tables/bind-reads.ts';
import { columnsOfRef } from '../../lake/tables/table-state.ts';
import { engineReason } from '../../landing/data-fault.ts';
import type { Session } from '../../ports.ts';
import { createBatchSchema } from '../../sql/batch.ts';
import { createBlankBatch, insertPlain, tryModel } from '../../sql/floor.ts';
import { userSql } from '../../sql/user-sql.ts';
import { withModelSession } from './map-files.ts';

/**
 * Throws EngineError where rows of tables that a model joins are to blame, and none of the batch: where its SQL raises over a row without
 * any value, but not with the tables empty, and not in these words with one plain row in each, without which no condition of a join is asked.
 */
export async function tryJoined(
  context: UnitContext,
  model: SilverModel,
  source: SourceSpec,
  deps: StepDeps,
): Promise<void> {
  if (model.reads.length === 0) return;
  const raised = await raisedBy(withModelSession(context, model, deps, (session) => tryBlank(session, model, source)));
  if (raised === undefined) return;
  if ((await raisedBy(tryWith(context, model, source, deps, 'nothing'))) !== undefined) return;
  const plainly = await raisedBy(tryWith(context, model, source, deps, 'plain rows'));
  if (plainly !== undefined && engineReason(plainly) === engineReason(raised)) return;
  throw new EngineError(
    `${model.id}: its SQL cannot be computed over rows of what it joins (${model.reads.map(modelId).join(', ')}), whatever its own rows are, ` +
      `so that none of these is to blame; got ${engineReason(raised)}. Correct these rows, or let the SQL do with them, as by TRY_CAST`,
    { cause: raised },
  );
}

async function tryWith(
  { plan: { spec } }: UnitContext,
  model: SilverModel,
  source: SourceSpec,
  deps: StepDeps,
  joined: 'nothing' | 'plain rows',
): Promise<void> {
  await using session = await deps.engine.open(deps.settings);
  await bindReads(session, spec, model, {});
  for (const ref of joined === 'nothing' ? [] : model.reads) {
    await session.run(insertPlain(placeOf(ref), columnsOfRef(spec, ref)));
  }
  await tryBlank(session, model, source);
}

async function tryBlank(session: Session, model: SilverModel, source: SourceSpec): Promise<void> {
  for (const statement of [createBatchSchema(), createBlankBatch(source)]) await session.run(statement);
  await session.rows(tryModel(userSql(model.sql)));
}

async function raisedBy(work: Promise<void>): Promise<EngineError | undefined> {
  try {
    await work;
    return undefined;
  } catch (cause) {
    if (cause instanceof EngineError) return cause;
    throw cause;
  }
}
