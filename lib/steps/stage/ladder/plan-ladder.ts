import { engineOf } from '../../../core/implementations.ts';
import type { TableShare } from '../../../core/ladder.ts';
import type { ModelPlan, PartitionText, RunPlan } from '../../../core/run.ts';
import type { GoldModel } from '../../../core/spec.ts';
import type { Column } from '../../../core/types.ts';
import type { StepDeps } from '../../../lake/deps.ts';
import { findRung } from '../../../lake/ladder/find-rung.ts';
import type { States } from '../../../lake/ladder/sized-tables.ts';
import type { EngineWork } from '../../../plan/engine-units.ts';
import { type MapShare, workerBytes } from '../../../plan/ladder/choose-rung.ts';
import { packPartitions } from '../../../plan/stage-units.ts';
import { planByEngine } from '../engine/plan-by-engine.ts';

/** What the units of a gold model do, in their order, and what goes into its plan where one worker alone is too small. */
export type GoldUnits = {
  readonly work: readonly (EngineWork & { readonly share?: TableShare })[];
  readonly planned: Pick<ModelPlan, 'output' | 'bytes' | 'ladder'>;
};

type Inputs = {
  readonly states: States;
  readonly touched: readonly PartitionText[] | null;
  readonly also: Readonly<Record<string, readonly Column[]>> | undefined;
};

/** Only all of a table is computed by several units together; partitions that were touched have units of their own. */
export async function planUnits(
  deps: StepDeps,
  plan: RunPlan,
  model: GoldModel,
  { states, touched, also = {} }: Inputs,
): Promise<GoldUnits> {
  // An engine is given all of a model's text, whatever it has to read.
  if (engineOf(model) !== undefined)
    return { work: await planByEngine(deps, model, { states, touched }), planned: { output: 'final' } };
  const alone = packPartitions(touched).map((partitions) => ({ partitions }));
  if (touched !== null) return { work: alone, planned: { output: 'final' } };
  const { rung, ladder } = await findRung(deps, plan.spec, model, { states, worker: workerBytes(plan), also });
  if (ladder === undefined || !('shares' in rung)) {
    if (rung.rung === null) warn(deps, model, rung.stops);
    return { work: alone, planned: { output: 'final' } };
  }
  const work = rung.shares.map((share) => ({ partitions: null, share: tableShare(share) }));
  return { work, planned: { output: 'exchange', bytes: rung.bytes, ladder } };
}

function tableShare({ table, files }: MapShare): TableShare {
  return { table, files: files.map(({ key }) => key), rows: files.reduce((sum, { rows }) => sum + rows, 0) };
}

function warn({ log }: StepDeps, { id }: GoldModel, stops: readonly { rung: number; because: string }[]): void {
  const reason = stops.map(({ rung, because }) => `rung ${rung}: ${because}`).join('; ');
  log.warn('one worker computes more than it has room for', { model: id, reason });
}
