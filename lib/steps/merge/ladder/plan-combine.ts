import type { ExchangedFile, MergeUnit } from '../../../core/merge-unit.ts';
import type { ModelPlan, RunPlan } from '../../../core/run.ts';
import type { UnitResult } from '../../../lake/run/unit-result.ts';
import { spansOf, workerBytes } from '../../../plan/ladder/choose-rung.ts';

/** Units of a merge that bring some buckets each of all that staging has written of a gold model. */
export function planCombine(plan: RunPlan, planned: ModelPlan, results: readonly UnitResult[]): readonly MergeUnit[] {
  const { model, ladder } = planned;
  if (ladder === undefined) return [];
  const files = results.flatMap(({ of: table = '', exchanged }) =>
    exchanged.map(({ key, written }): ExchangedFile => ({ key, table, bytes: written.bytes, rows: written.rows })),
  );
  if (files.length === 0) return [];
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return spansOf(ladder.buckets, bytes, workerBytes(plan)).map((span, nth) => ({
    unit: `merge-${model}-${String(nth).padStart(5, '0')}`,
    model,
    kind: 'combine',
    files,
    ...span,
  }));
}
