import { AuditFailed } from '../../core/errors.ts';
import type { RunPlan } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { readLevelPlan } from '../../lake/run/run-folder.ts';
import type { SourceOutcome } from '../../lake/run/run-records.ts';
import { readStageResults, type UnitResult } from '../../lake/run/unit-result.ts';

/**
 * All tables of a source lack the same suspended files, since the ledger has one word for each. Workers may have died of
 * a file in one table's SQL after another table had taken it; the next run knows, and leaves it out of both.
 * Throws AuditFailed.
 */
export async function checkSuspended(deps: StepDeps, plan: RunPlan, sources: readonly SourceOutcome[]): Promise<void> {
  for (const { source } of sources) {
    const models = plan.spec.models.filter((m) => m.layer === 'silver' && m.from === source);
    if (models.length < 2) continue;
    const suspended = await Promise.all(models.map((model) => suspendedIn(deps, plan, model.id)));
    const all = new Set(suspended.flatMap((keys) => [...keys]));
    for (const key of all) {
      const without = models.filter((_, i) => suspended[i]?.has(key));
      if (without.length === models.length) continue;
      throw new AuditFailed(
        `source ${source}: workers died of ${key} in ${without.map((m) => m.id).join(', ')}, and other tables of the source have its rows already; ` +
          'nothing is published. Run again: the file is left out of all of them then',
      );
    }
  }
}

async function suspendedIn(deps: StepDeps, plan: RunPlan, model: string): Promise<ReadonlySet<string>> {
  const level = plan.spec.levels.findIndex((ids) => ids.includes(model));
  const planned = (await readLevelPlan(deps.store, plan.run, level)).models.find((m) => m.model === model);
  const results: readonly UnitResult[] =
    planned === undefined ? [] : await readStageResults(deps, plan.run, level, planned);
  return new Set(results.flatMap((r) => r.files.filter((f) => f.status === 'suspended').map((f) => f.key)));
}
