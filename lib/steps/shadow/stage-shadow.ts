import { join } from 'node:path';
import { AuditFailed, EngineError, InvalidInput, Unavailable, UnreadableTable } from '../../core/errors.ts';
import { engineOf, implementedBy, readByAny } from '../../core/implementations.ts';
import { type Parity, type Shadow, textHash } from '../../core/parity.ts';
import type { ModelPlan, RunPlan } from '../../core/run.ts';
import { type GoldModel, modelId } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Column } from '../../core/types.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { digestOf } from '../../lake/compare/digest.ts';
import { type Compared, parityOf } from '../../lake/compare/parity.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { underMark } from '../../lake/run/deaths.ts';
import { runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { fieldIdsOf } from '../../lake/tables/field-ids.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { openTables } from '../../lake/tables/open-tables.ts';
import { settleShape, shapeOf } from '../../lake/tables/table-shape.ts';
import { findModel, loadBase, loadStates, openTable, scanColumns } from '../../lake/tables/table-state.ts';
import type { Session } from '../../ports.ts';
import { createSide, FROM, TO } from '../../sql/diff/relations.ts';
import { quotePath } from '../../sql/quote.ts';
import { createSchemas, renderParquet, renderScan } from '../../sql/scan.ts';
import { userTerm } from '../../sql/user-sql.ts';
import { writeTable } from '../../sql/write.ts';
import { stageByEngine } from '../stage/engine/stage-by-engine.ts';
import { evolvedGold } from '../stage/evolved-gold.ts';

/** Where the table that is published stands in the session. */
const PUBLISHED = { schema: '__parity', table: 'published' };

/**
 * Computes another text of a gold model from the same snapshots, and compares its rows with those that the model's table has by this
 * run. They stay out of it. Whatever goes wrong with the text is said by the answer, and is nothing to the run.
 */
export async function stageShadow(
  { plan, level, unit }: Omit<UnitContext, 'planned'>,
  shadow: Shadow,
  deps: StepDeps,
): Promise<Parity> {
  const model = findModel(plan.spec, shadow.model);
  if (model.layer !== 'gold') throw new RangeError(`${model.id} is no gold model, and has one text`);
  const states = await loadStates(deps.store, plan, [{ layer: 'gold', name: model.name }, ...readByAny(model)]);
  const table = states.get(model.id);
  if (table === undefined) throw new RangeError(`${model.id} has no table that its texts could be compared by`);
  const known = {
    ...shadow,
    digest: digestOf(plan.spec, model, shadow, states),
    left_text: textHash(model, shadow.left),
    right_text: textHash(model, shadow.right),
  };
  const failed = (error: string): Parity => ({ ...known, ...NOT_COMPARED, error });
  const one = implementedBy(model, shadow.right);
  const context = { plan, level, unit };
  try {
    if (engineOf(one) !== undefined) {
      return { ...known, ...(await compareByEngine(context, { model: one, table }, deps)), error: null };
    }
    const attempt = (nth: number): string => runFolder.attempt(plan.run, level, unit.unit, nth);
    const found = await underMark(deps, attempt, () => compareText(plan, { model: one, table, states }, deps));
    return found === undefined ? failed(DIED) : { ...known, ...found, error: null };
  } catch (cause) {
    if (OF_THE_TEXT.some((kind) => cause instanceof kind)) return failed(messageOf(cause));
    if (cause instanceof Unavailable && engineOf(one) !== undefined && (await isLastCall(context, deps)))
      return failed(messageOf(cause));
    throw cause;
  }
}

/** As often as the state machine calls again where something is not there for now: once more, and the run would fail. */
const CALLS = 6;

/** Whether an engine has been waited for long enough; the call is noted where it has not. */
async function isLastCall(
  { plan, level, unit }: Omit<UnitContext, 'planned'>,
  { store }: Pick<StepDeps, 'store'>,
): Promise<boolean> {
  for (let nth = 1; nth < CALLS; nth += 1) {
    const key = runFolder.engineRecord(plan.run, level, unit.unit, `call-${nth}`);
    if ((await store.head(key)) !== undefined) continue;
    await writeOnce(store, key, {});
    return false;
  }
  return true;
}

/** What the text, or the engine that it is for, is to blame for. */
const OF_THE_TEXT = [EngineError, InvalidInput, UnreadableTable, AuditFailed];

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

const DIED =
  'workers have ended at it without an answer, as one does that has too little memory or time: give Stage more (--memory, compute.steps.Stage.memory)';

const NOT_COMPARED = { equal: false, rows: null, right_rows: null, keys: null, sums: {}, differing: null } as const;

type States = ReadonlyMap<string, TableMetadata | undefined>;

type Compare = { readonly model: GoldModel; readonly table: TableMetadata };

async function compareText(
  plan: RunPlan,
  { model, table, states }: Compare & { readonly states: States },
  deps: StepDeps,
): Promise<Compared> {
  const evolved = await evolvedGold(deps, plan.spec, model, states);
  const columns = [...model.columns, ...(evolved?.added ?? [])];
  await using session = await deps.engine.open(deps.settings);
  await using _read = await openTables(deps.store, session, plan, {
    refs: model.reads,
    logs: model.readsLogs,
    also: evolved?.reads_also,
  });
  await using scratch = await openScratch(deps, `shadow-${modelId(model)}`);
  const paths = await writeText(session, model, { columns, table, folder: join(scratch.folder, 'out') });
  // By name: a column that the text alone has is one in which the two differ. A text without a row may have no file.
  const rows = paths.length === 0 ? renderScan(scanColumns(table, columns), []) : renderParquet(paths);
  return await compareRows(session, { model, table, columns, rows }, deps);
}

/** The files of an engine lie where those of a model that it computes would, and go with what else the run has left there. */
async function compareByEngine(
  { plan, level, unit }: Omit<UnitContext, 'planned'>,
  { model, table }: Compare,
  deps: StepDeps,
): Promise<Compared> {
  const engine = engineOf(model);
  if (engine === undefined) throw new RangeError(`${model.id} is computed by no engine`);
  const shape = settleShape(deps.store, await loadBase(deps.store, plan, model.id), {
    ...shapeOf(deps, plan.spec, model, []),
    whole: true,
  });
  const planned = { ...OF_NO_TABLE, model: model.id, columns: model.columns, shape };
  const { written } = await stageByEngine({ plan, level, planned, unit }, model, engine, deps);
  await using session = await deps.engine.open(deps.settings);
  await using files = await deps.store.borrow(written.map(({ key }) => key));
  const paths = written.map(({ key }) => pathOf(files, key));
  const { columns } = model;
  const rows = renderScan(scanColumns(table, columns), paths);
  return await compareRows(session, { model, table, columns, rows }, deps);
}

const OF_NO_TABLE = {
  log: null,
  contract: null,
  units: [],
  output: 'final',
  buckets: 1,
  rebuild: false,
  reason: null,
  touched: null,
} as const satisfies Partial<ModelPlan>;

type Rows = Compare & { readonly columns: readonly Column[]; readonly rows: Sql };

async function compareRows(
  session: Session,
  { model, table, columns, rows }: Rows,
  deps: Pick<StepDeps, 'store'>,
): Promise<Compared> {
  for (const statement of createSchemas([PUBLISHED.schema])) await session.run(statement);
  await using _published = await openTable(deps.store, session, PUBLISHED, table, columns);
  const typed = columns.map((column) => ({ ...column, as: column.type }));
  await session.run(createSide(FROM, typed, quotePath(PUBLISHED.schema, PUBLISHED.table)));
  await session.run(createSide(TO, typed, rows));
  return await parityOf(session, model, columns);
}

type Writing = { readonly columns: readonly Column[]; readonly table: TableMetadata; readonly folder: string };

/** The rows of a text as the table would have them, in files of this machine. */
async function writeText(
  session: Session,
  { id, sql }: GoldModel,
  { columns, table, folder }: Writing,
): Promise<readonly string[]> {
  const copy = writeTable({
    name: `shadow of ${id}`,
    from: userTerm(sql),
    columns,
    fieldIds: fieldIdsOf(currentSchema(table)),
    partitionBy: [],
    sortBy: [],
    folder,
    fileBytes: SHADOW_FILE_BYTES,
  });
  return (await session.copy(copy)).map(({ path }) => path);
}

const SHADOW_FILE_BYTES = 128 * 2 ** 20;
