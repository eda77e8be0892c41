import { AuditFailed } from '../../core/errors.ts';
import type { RunPlan } from '../../core/run.ts';
import type { Expectation, ModelSpec } from '../../core/spec.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openAudited } from '../../lake/tables/audited.ts';
import { openTables } from '../../lake/tables/open-tables.ts';
import type { Row, Session } from '../../ports.ts';
import { checkRowCount } from '../../sql/audit.ts';
import { knownRows, repeatsOf } from './appended.ts';
import { askTable, notPublished, sayBroken, type Wrong } from './ask-table.ts';
import type { UniqueExpectation } from './held.ts';

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

/** A table as a run would publish it. */
export type Audited = {
  readonly model: ModelSpec;
  readonly metadata: TableMetadata;
  /** The table to whose rows this one only adds some; undefined where rows go, or where there was no table. */
  readonly appendedTo: TableMetadata | undefined;
};

export type TableChecked = {
  readonly warnings: readonly string[];
  /** Columns that are unique in it. */
  readonly unique: readonly UniqueExpectation[];
};

/** Runs table expectations on the table as it would be published. Throws AuditFailed for one with policy `fail`. */
export async function checkTable(deps: StepDeps, plan: RunPlan, audited: Audited): Promise<TableChecked> {
  const { model } = audited;
  const table = model.expect.filter((e) => e.kind !== 'row');
  const gold = model.layer === 'gold' ? model.expect.filter((e) => e.kind === 'row') : [];
  const answers = new Map<Expectation, Wrong>();
  for (const expectation of table) {
    const answer = await askIncrement(deps, audited, expectation);
    if (answer !== undefined) answers.set(expectation, sayBroken(answer));
  }
  const whole = [...table, ...gold].filter((expectation) => !answers.has(expectation));
  for (const [expectation, wrong] of await askWhole(deps, plan, audited, whole)) answers.set(expectation, wrong);
  const warnings: string[] = [];
  const unique: UniqueExpectation[] = [];
  for (const expectation of [...table, ...gold]) {
    const wrong = answers.get(expectation);
    if (wrong === undefined && expectation.kind === 'unique') unique.push(expectation);
    if (wrong === undefined) continue;
    const text = `${model.id}: expectation ${expectation.name} ${wrong.said}`;
    if (expectation.policy === 'fail') throw notPublished(`${text}; nothing is published`, wrong);
    warnings.push(text);
  }
  return { warnings, unique };
}

/** What follows from what is new and from what was known before; undefined where all rows have to be asked. */
async function askIncrement(
  deps: StepDeps,
  { model, metadata, appendedTo }: Audited,
  expectation: Expectation,
): Promise<Row | undefined> {
  if (expectation.kind === 'rowCount') {
    const rows = knownRows(metadata);
    if (rows === undefined) return undefined;
    await using session = await deps.engine.open(deps.settings);
    return (await session.rows(checkRowCount(expectation, rows)))[0];
  }
  if (expectation.kind !== 'unique' || appendedTo === undefined) return undefined;
  return repeatsOf(deps, { model, metadata, before: appendedTo }, expectation);
}

async function askWhole(
  deps: StepDeps,
  plan: RunPlan,
  { model, metadata }: Audited,
  expectations: readonly Expectation[],
): Promise<ReadonlyMap<Expectation, Wrong>> {
  const open = async (session: Session): Promise<AsyncDisposable> => {
    const tables = await openTables(deps.store, session, plan, { refs: model.reads });
    const close = (): PromiseLike<void> => tables[Symbol.asyncDispose]();
    try {
      const audited = await openAudited(deps.store, session, model, metadata);
      return { [Symbol.asyncDispose]: () => audited[Symbol.asyncDispose]().then(close, close) };
    } catch (cause) {
      await close();
      throw cause;
    }
  };
  return askTable(deps, model, open, expectations);
}
