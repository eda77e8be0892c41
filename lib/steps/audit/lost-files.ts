import { AuditFailed } from '../../core/errors.ts';
import type { FileOutcome, RunPlan } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';

const MOST_NAMED = 10;

/**
 * Throws AuditFailed where a table that is made anew would lose rows because a file that brought them is rejected now: by
 * a contract that has lost a column, say, where drift is `fail`.
 */
export function checkLostFiles({ spec, run }: RunPlan, model: ModelSpec, files: readonly FileOutcome[]): void {
  const lost = files.filter((file) => file.status === 'rejected' && file.ingested === true);
  if (lost.length === 0) return;
  const shown = lost.slice(0, MOST_NAMED).map(({ key, code, reason }) => `  ${key}: ${code}: ${reason}`);
  const more = lost.length > MOST_NAMED ? [`  and ${lost.length - MOST_NAMED} more`] : [];
  throw new AuditFailed(
    [
      `cannot make ${fullName(tableIdOf(spec, model))} anew: ${lost.length} files that were ingested would be rejected now, and their rows lost`,
      ...shown,
      ...more,
      "Nothing was published. Let the contract take them (drift: 'ignore' leaves out columns that it does not name), or do without " +
        `their rows: strata backfill ${run.pipeline} --allow-missing`,
    ].join('\n'),
  );
}
