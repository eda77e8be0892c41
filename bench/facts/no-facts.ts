/** In the place of lib/lake/facts/keep-facts.ts and model-facts.ts: nothing is looked for, told or kept. */
import type { ModelFacts } from '../../lib/core/facts.ts';
import type { ModelPlan } from '../../lib/core/run.ts';
import type { Waiting } from '../../lib/lake/facts/keep-facts.ts';
import type { ModelOutcome } from '../../lib/lake/run/unit-result.ts';

export * from '../../lib/lake/facts/keep-facts.ts';
export * from '../../lib/lake/facts/model-facts.ts';

export async function findWaiting(): Promise<Waiting> {
  return { due: false, keys: [], before: [] };
}

export async function keepFacts(): Promise<void> {}

/** What the times of a run's steps are read from. */
export function modelFacts(_model: unknown, { units }: Pick<ModelPlan, 'units'>, outcome: ModelOutcome): ModelFacts {
  const { staging, merging, merge_units } = outcome;
  return { staging, merging, units: units.length, merge_units, source: null, columns: [] };
}
