import { AuditFailed } from '../../core/errors.ts';
import type { RunPlan } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openAudited } from '../../lake/tables/audited.ts';
import { openTables } from '../../lake/tables/table-state.ts';
import { checkExpectation } from '../../sql/audit.ts';

/** Warnings of row expectations that rows broke. Throws AuditFailed for one with policy `fail`. */
export function checkRows(model: ModelSpec, broken: Readonly<Record<string, number>>): readonly string[] {
  const warnings: string[] = [];
  for (const expectation of model.expect) {
    const rows = Object.hasOwn(broken, expectation.name) ? (broken[expectation.name] ?? 0) : 0;
    if (expectation.kind !== 'row' || rows === 0) continue;
    const text = `${model.id}: expectation ${expectation.name} (${expectation.condition}) does not hold for ${rows} rows`;
    if (expectation.policy === 'fail') throw new AuditFailed(`${text}; nothing is published`);
    warnings.push(expectation.policy === 'drop' ? `${text}; they are in quarantine` : text);
  }
  return warnings;
}

/** Runs table expectations on the table as it would be published. Throws AuditFailed for one with policy `fail`. */
export async function checkTable(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  metadata: TableMetadata,
): Promise<readonly string[]> {
  const expectations = model.expect.filter((e) => e.kind !== 'row');
  const gold = model.layer === 'gold' ? model.expect.filter((e) => e.kind === 'row') : [];
  if (expectations.length + gold.length === 0) return [];
  await using session = await deps.engine.open(deps.settings);
  await using _inputs = await openTables(deps.store, session, plan, model.reads);
  await using _audited = await openAudited(deps.store, session, model, metadata);
  const warnings: string[] = [];
  for (const expectation of [...expectations, ...gold]) {
    const counted = (await session.rows(checkExpectation(expectation)))[0];
    const broken = Number(counted?.['broken']);
    if (broken === 0) continue;
    const text = `${model.id}: expectation ${expectation.name} does not hold: ${broken} offending, such as ${String(counted?.['examples'])}`;
    if (expectation.policy === 'fail') throw new AuditFailed(`${text}; nothing is published`);
    warnings.push(text);
  }
  return warnings;
}
