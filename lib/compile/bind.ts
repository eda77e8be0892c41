import { LOG_SUFFIX } from '../core/keyed.ts';
import { type Column, type ColumnType, renderColumnType, TYPE_GRAMMAR } from '../core/types.ts';
import type { Session } from '../ports.ts';
import { RID } from '../sql/batch-tables.ts';
import { createTable, MAPPED_COLUMNS } from '../sql/bind.ts';
import { offsetOf, placeOfOffset, textAt, walk } from '../sql/tree.ts';
import { columnTypeOf } from '../sql/types.ts';
import { userSql } from '../sql/user-sql.ts';
import type { Binding } from './conditions.ts';
import type { BoundModel, ModelDraft, ParsedModel, SourceDraft } from './draft.ts';
import { sqlFault } from './engine-errors.ts';
import { isClock, RUN_CLOCK, volatileIn } from './functions.ts';
import { checkAddedColumns, logColumnsOf, tableColumnsOf } from './keyed-checks.ts';
import { checkColumns } from './names.ts';
import { type Notes, showValue } from './notes.ts';
import { addRowId } from './row-id.ts';
import { checkRowwise } from './rowwise.ts';
import { isSubquery } from './statements.ts';

const ROW_ID_TYPE: ColumnType = { kind: 'bigint' };
const SQL = 'SQL that DuckDB can bind';

/** Creates the empty table `batch.<source>`; answers whether it could. */
export async function bindSource({ session, notes }: Binding, source: SourceDraft): Promise<boolean> {
  const statement = createTable('batch', source.spec.name, source.spec.columns);
  try {
    await session.run(statement);
    return true;
  } catch (error) {
    notes.add(source.place, sqlFault(error, statement.name, '').got, 'columns that DuckDB can make a table of');
    return false;
  }
}

/**
 * Asks DuckDB for the columns of a model and creates its empty table, for the models that read it. What it reads must be
 * bound already; `read` are the columns of that. `undefined` when a problem was noted.
 */
export async function bindModel(
  binding: Binding,
  model: ParsedModel,
  source: SourceDraft | undefined,
  read: readonly Column[],
): Promise<BoundModel | undefined> {
  const bound = await bindColumns(binding, model, source, read);
  if (bound === undefined) return undefined;
  const tableColumns = await createModelTables(binding.session, model.draft, bound.columns);
  return { ...bound, tableColumns };
}

/** The same of what makes no table. */
export async function bindColumns(
  binding: Binding,
  model: ParsedModel,
  source: SourceDraft | undefined,
  read: readonly Column[],
): Promise<BoundModel | undefined> {
  const notes = binding.notes.inFile(model.file);
  const before = notes.found.length;
  if (source !== undefined) noteSilverFaults(binding, model, source, notes);
  else noteClock(binding, model, read, notes);
  const sound = notes.found.length === before;
  const described = await describeModel(binding, model, sound, notes);
  if (described === undefined) return undefined;
  const columns = described.flatMap((column): Column[] => {
    const type = columnTypeOf(column.type);
    if (type === undefined) {
      notes.add(
        `column ${showValue(column.name)}`,
        `the type ${column.type}, which Iceberg can't store`,
        `a cast to ${TYPE_GRAMMAR}`,
      );
      return [];
    }
    return [{ name: column.name, type }];
  });
  const named = columns.map(({ name }) => ({ name, place: `column ${showValue(name)}` }));
  const good = checkColumns(named, 'name it with AS', notes) && columns.length === described.length;
  if (!good || !checkAddedColumns(model.draft, columns, notes)) return undefined;
  return { parsed: model, columns, tableColumns: undefined, sound };
}

/** The tables that readers, conditions over the model's rows and readers of the log bind against. */
async function createModelTables(
  session: Session,
  draft: ModelDraft,
  columns: readonly Column[],
): Promise<readonly Column[] | undefined> {
  const { layer, name } = draft.ref;
  const table = tableColumnsOf(draft, columns);
  const log = logColumnsOf(draft, columns);
  if (layer === 'silver') await session.run(createTable(MAPPED_COLUMNS, name, columns));
  if (log !== undefined) await session.run(createTable(layer, `${name}${LOG_SUFFIX}`, log));
  if (table !== undefined) await session.run(createTable(layer, name, table));
  return table;
}

function noteSilverFaults({ functions }: Binding, model: ParsedModel, source: SourceDraft, notes: Notes): void {
  for (const fault of checkRowwise(model.tree, source.spec.name, functions)) {
    notes.add(placeOfOffset(model.sql, fault.offset), fault.got, fault.expected);
  }
  const columns = new Set(source.spec.columns.map((column) => column.name.toLowerCase()));
  for (const { node, called } of volatileIn(model.tree, functions, columns)) {
    const expected = isClock(called)
      ? `SQL that gives the same rows when a worker is retried: take times from the source, or ${RUN_CLOCK}`
      : 'SQL that gives the same rows when a worker is retried: take times and ids from the source, or add them in gold';
    notes.add(placeOfOffset(model.sql, offsetOf(node)), called, expected);
  }
}

/**
 * A run that is gone on with tomorrow has today's rows, in gold as well. What a column is called hides the clock's words
 * without brackets, wherever in the SQL that column is.
 */
function noteClock({ functions }: Binding, model: ParsedModel, read: readonly Column[], notes: Notes): void {
  const names = [...read.map(({ name }) => name), ...[...walk(model.tree)].map((node) => textAt(node, 'alias'))];
  for (const { node, called } of volatileIn(model.tree, functions, new Set(names.map((name) => name.toLowerCase())))) {
    if (isClock(called)) notes.add(placeOfOffset(model.sql, offsetOf(node)), called, RUN_CLOCK);
  }
}

async function describeModel(
  { session }: Binding,
  model: ParsedModel,
  sound: boolean,
  notes: Notes,
): Promise<readonly { readonly name: string; readonly type: string }[] | undefined> {
  const name = model.draft.id;
  let columns: readonly { readonly name: string; readonly type: string }[];
  try {
    columns = await session.describe({ name, text: userSql(model.sql) });
  } catch (error) {
    const fault = sqlFault(error, name, SQL, model.sql);
    // Where an aggregate has been refused already, its missing GROUP BY is no second mistake.
    if (sound || !fault.got.includes('GROUP BY')) notes.add(fault.place ?? 'line 1', fault.got, fault.expected);
    return undefined;
  }
  if (model.draft.ref.layer === 'silver' || (await isSubquery(session, model.sql))) return columns;
  notes.add(
    `line ${model.sql.slice(0, model.sql.lastIndexOf(';')).split('\n').length}`,
    'a semicolon before the end',
    'no semicolon',
  );
  return undefined;
}

/**
 * The silver SQL with `__rid` as its last column. `batch.<source>` must have that column by now. Notes SQL whose other
 * columns change with it; `undefined` then.
 */
export async function bindRowId({ session, notes }: Binding, model: BoundModel): Promise<string | undefined> {
  const { parsed } = model;
  try {
    const sql = await addRowId(session, parsed.sql);
    const described = await session.describe({ name: parsed.draft.id, text: userSql(sql) });
    const now = described.map(showTyped);
    const before = [...model.columns, { name: RID, type: ROW_ID_TYPE }].map(
      (column) => `${column.name} ${renderColumnType(column.type)}`,
    );
    if (JSON.stringify(now) === JSON.stringify(before)) return sql;
    const other = now.filter((column, index) => column !== before[index]).join(', ');
    const got = `other columns (${other}) once the hidden column ${RID} is added`;
    notes
      .inFile(parsed.file)
      .add('line 1', got, 'columns by name instead of COLUMNS(...), and expressions named with AS');
  } catch (error) {
    const fault = sqlFault(error, parsed.draft.id, SQL);
    notes
      .inFile(parsed.file)
      .add('line 1', `SQL that can't carry the hidden column ${RID}: ${fault.got}`, 'a simpler SELECT');
  }
  return undefined;
}

function showTyped(column: { readonly name: string; readonly type: string }): string {
  const type = columnTypeOf(column.type);
  return `${column.name} ${type === undefined ? column.type : renderColumnType(type)}`;
}
