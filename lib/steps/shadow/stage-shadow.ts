import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { engineOf, implementedBy, readByAny, textNamed } from '../../core/implementations.ts';
import { type Parity, type Shadow, textHash } from '../../core/parity.ts';
import type { RunPlan } from '../../core/run.ts';
import { type GoldModel, modelId } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { digestOf } from '../../lake/compare/digest.ts';
import { type Compared, parityOf } from '../../lake/compare/parity.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { underMark } from '../../lake/run/deaths.ts';
import { fieldIdsOf } from '../../lake/tables/field-ids.ts';
import { openTables } from '../../lake/tables/open-tables.ts';
import { findModel, loadStates, openTable } from '../../lake/tables/table-state.ts';
import type { Session } from '../../ports.ts';
import { createSide, FROM, TO } from '../../sql/diff/relations.ts';
import { quotePath } from '../../sql/quote.ts';
import { createSchemas, renderParquet, renderScan } from '../../sql/scan.ts';
import { userTerm } from '../../sql/user-sql.ts';
import { writeTable } from '../../sql/write.ts';
import { evolvedGold } from '../stage/evolved-gold.ts';

/** Where the table that is published stands in the session. */
const PUBLISHED = { schema: '__parity', table: 'published' };

/**
 * Computes another text of a gold model from the same snapshots, and compares its rows with those that the model's table has by this
 * run. They stay on this machine. Whatever goes wrong with the text is said by the answer, and is nothing to the run.
 */
export async function stageShadow(
  plan: RunPlan,
  shadow: Shadow,
  attemptKey: (attempt: number) => string,
  deps: StepDeps,
): Promise<Parity> {
  const model = findModel(plan.spec, shadow.model);
  if (model.layer !== 'gold') throw new RangeError(`${model.id} is no gold model, and has one text`);
  const states = await loadStates(deps.store, plan, [{ layer: 'gold', name: model.name }, ...readByAny(model)]);
  const known = {
    ...shadow,
    digest: digestOf(plan.spec, model, shadow, states),
    left_text: hashOf(model, shadow.left),
    right_text: hashOf(model, shadow.right),
  };
  const failed = (error: string): Parity => ({ ...known, ...NOT_COMPARED, error });
  const one = implementedBy(model, shadow.right);
  const engine = engineOf(one);
  if (engine !== undefined) return failed(`no engine runs the text for ${engine} beside the table`);
  try {
    const found = await underMark(deps, attemptKey, () => compareText(plan, model, { one, states }, deps));
    return found === undefined ? failed(DIED) : { ...known, ...found, error: null };
  } catch (cause) {
    if (cause instanceof EngineError) return failed(cause.message);
    throw cause;
  }
}

const DIED =
  'workers have ended at it without an answer, as one does that has too little memory or time: give Stage more (--memory, compute.steps.Stage.memory)';

const NOT_COMPARED = { equal: false, rows: null, right_rows: null, keys: null, sums: {}, differing: null } as const;

function hashOf(model: GoldModel, name: string): string {
  return textHash(textNamed(model, name)?.sql ?? model.sql);
}

type States = ReadonlyMap<string, TableMetadata | undefined>;

async function compareText(
  plan: RunPlan,
  model: GoldModel,
  { one, states }: { readonly one: GoldModel; readonly states: States },
  deps: StepDeps,
): Promise<Compared> {
  const table = states.get(model.id);
  if (table === undefined) throw new RangeError(`${model.id} has no table that its texts could be compared by`);
  const evolved = await evolvedGold(deps, plan.spec, one, states);
  const columns = [...model.columns, ...(evolved?.added ?? [])];
  await using session = await deps.engine.open(deps.settings);
  await using _read = await openTables(deps.store, session, plan, {
    refs: one.reads,
    logs: one.readsLogs,
    also: evolved?.reads_also,
  });
  await using scratch = await openScratch(deps, `shadow-${modelId(model)}`);
  const paths = await writeText(session, one, { columns, table, folder: join(scratch.folder, 'out') });
  for (const statement of createSchemas([PUBLISHED.schema])) await session.run(statement);
  await using _published = await openTable(deps.store, session, PUBLISHED, table, columns);
  const typed = columns.map((column) => ({ ...column, as: column.type }));
  await session.run(createSide(FROM, typed, quotePath(PUBLISHED.schema, PUBLISHED.table)));
  // A text without a row may have no file.
  const rows =
    paths.length === 0
      ? renderScan(
          columns.map((column) => ({ ...column, id: -1 })),
          [],
        )
      : renderParquet(paths);
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
