import type { RunPlan } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { isAnew, loadBase } from '../../lake/tables/table-state.ts';
import { type Prepared, sayAlso } from '../../table/prepare.ts';
import { checkTable, type TableChecked } from './expectations.ts';
import { sayUnique } from './held.ts';

/** Asks table expectations of what would be published, which then says what is known of it, for rows that are added to it later. */
export async function checkPrepared(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  own: Prepared,
): Promise<{ readonly prepared: Prepared } & TableChecked> {
  const before = await loadBase(deps.store, plan, model.id);
  const appended = own.removal === 'nothing' && own.deletes === undefined && !isAnew(plan, model.id);
  const audited = { model, metadata: own.metadata, appendedTo: appended ? before : undefined };
  const { warnings, unique } = await checkTable(deps, plan, audited);
  if (model.layer === 'gold' || model.mode.kind !== 'append') return { prepared: own, warnings, unique };
  const base = before === undefined ? undefined : { metadata: before, metadataLocation: own.baseLocation };
  return { prepared: sayAlso(own, base, sayUnique(before, own.metadata, unique)), warnings, unique };
}
