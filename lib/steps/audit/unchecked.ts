import { DESCRIBED_COLUMNS, describedProperties } from '../../core/described.ts';
import type { ModelPlan, RunPlan, TableShape } from '../../core/run.ts';
import type { Expectation, ModelSpec } from '../../core/spec.ts';
import { alterSchema, joinChanges } from '../../iceberg/changes.ts';
import { docsToChange } from '../../iceberg/docs.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { RUN_ID } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openAudited } from '../../lake/tables/audited.ts';
import { checkedProperties, uncheckedIn } from '../../lake/tables/made-by.ts';
import { changedProperties } from '../../lake/tables/table-properties.ts';
import { loadBase } from '../../lake/tables/table-state.ts';
import type { Session } from '../../ports.ts';
import { type Prepared, prepareSnapshot } from '../../table/prepare.ts';
import { askTable, notPublished } from './ask-table.ts';

/** What a table that is not written comes to, and what there is to warn of. */
export type AsItIs = { readonly prepared: Prepared; readonly warnings: readonly string[] };

/**
 * Asks a table to which the run writes nothing about the expectations that are new or others than those that it was asked about
 * before. That it was asked, and what it says of its columns, is all that changes about it. Throws AuditFailed for one with policy `fail` that does not hold.
 */
export async function checkAsItIs(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  { shape }: ModelPlan,
): Promise<AsItIs> {
  const metadata = await loadBase(deps.store, plan, model.id);
  if (metadata === undefined) throw new RangeError(`${shape.id} has no table that could be checked`);
  const warnings = await askAll(deps, plan, model, metadata, uncheckedIn(plan.spec, model, metadata));
  return { prepared: await prepareChecked(deps, plan, model, { shape, metadata }), warnings };
}

/**
 * Row expectations of silver are asked of the rows that a run stages. Those that are new or others are asked of all rows of the table
 * as it would be published, unless all of these were staged by this run.
 */
export async function checkKeptRows(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  metadata: TableMetadata,
): Promise<readonly string[]> {
  const base = await loadBase(deps.store, plan, model.id);
  const unchecked = uncheckedIn(plan.spec, model, base).filter(({ kind }) => kind === 'row');
  return askAll(deps, plan, model, metadata, unchecked);
}

async function askAll(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  metadata: TableMetadata,
  expectations: readonly Expectation[],
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const open = (session: Session): Promise<AsyncDisposable> => openAudited(deps.store, session, model, metadata);
  for (const [{ name, policy }, wrong] of await askTable(deps, model, open, expectations)) {
    if (wrong === undefined) continue;
    const text = `${model.id}: expectation ${name}, new or changed since the table was last checked, ${wrong.said}`;
    const look = `strata check ${plan.spec.name} shows the rows that are there`;
    if (policy === 'fail') throw notPublished(`${text}; nothing is published. ${look}`, wrong);
    warnings.push(`${text}; ${look}`);
  }
  return warnings;
}

/**
 * Neither columns nor rows: whatever else has changed in the pipeline is left to the run that writes to the table. What it says of the columns
 * that are there is no change of them.
 */
function prepareChecked(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  { shape, metadata }: { readonly shape: TableShape; readonly metadata: TableMetadata },
): Promise<Prepared> {
  const docs = alterSchema(metadata, docsToChange(metadata, model.described));
  const properties = changedProperties(metadata, {
    ...checkedProperties(plan.spec, model, metadata),
    ...(metadata.properties[DESCRIBED_COLUMNS] === undefined ? {} : { [DESCRIBED_COLUMNS]: '[]' }),
    ...describedProperties(currentSchema(metadata).fields, model.described),
  });
  const change = docs.kind === 'altered' ? docs.change : undefined;
  const alter = change === undefined && properties === undefined ? undefined : joinChanges(change, properties);
  return prepareSnapshot(deps.store, {
    base: { metadata, metadataLocation: plan.tables[shape.id]?.metadata_location ?? null },
    ...(alter === undefined ? {} : { alter }),
    added: [],
    remove: { kind: 'nothing' },
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { [RUN_ID]: plan.run.run_id },
  });
}
