import type { PartitionField } from '../core/spec.ts';
import type { Column } from '../core/types.ts';
import { createThis, MAPPED_COLUMNS } from '../sql/bind.ts';
import { statementsOf } from '../sql/tree.ts';
import { userSql } from '../sql/user-sql.ts';
import { type Binding, checkCondition } from './conditions.ts';
import type { BoundModel, ModelDraft } from './draft.ts';
import { sqlFault } from './engine-errors.ts';
import { checkExports } from './export-shape.ts';
import { foreignIn } from './functions.ts';
import { checkKeyed, isKeyed } from './keyed-checks.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { showTable, tablesIn } from './references.ts';
import { isSubquery } from './statements.ts';
import { findColumn, isNested, showColumn, TRANSFORM_TYPES } from './table-columns.ts';
import { checkTieBreak } from './tie-break.ts';

/** Notes what in a model's partitioning, order, dedupe key and expectations its columns do not allow. */
export async function checkTable(binding: Binding, model: BoundModel): Promise<void> {
  const { draft } = model.parsed;
  checkPartition(draft, model.columns, binding.notes);
  draft.sortBy.forEach((name, index) => {
    const place = placeIn(placeIn(draft.place, 'sortBy'), index);
    const column = findColumn(name, model.columns, place, binding.notes);
    if (column && isNested(column.type))
      binding.notes.add(place, showColumn(column), 'a column that is neither list nor struct');
  });
  checkZorder(draft, model.columns, binding.notes);
  draft.personal?.forEach((name, index) => {
    findColumn(name, model.columns, placeIn(placeIn(draft.place, 'personal'), index), binding.notes);
  });
  checkRenamed(draft, model.columns, binding.notes);
  for (const name of Object.keys(draft.described))
    findColumn(
      name,
      model.tableColumns ?? model.columns,
      placeIn(placeIn(draft.place, 'columns'), name),
      binding.notes,
    );
  if (model.tableColumns !== undefined) checkExports(draft, model.tableColumns, binding.notes);
  if (draft.mode.kind === 'append' && draft.mode.dedupe?.by === 'key') {
    const place = placeIn(placeIn(placeIn(draft.place, 'mode'), 'dedupe'), 'key');
    const { columns, keep } = draft.mode.dedupe;
    columns.forEach((name, index) => {
      findColumn(name, model.columns, placeIn(place, index), binding.notes);
    });
    const table = { schema: MAPPED_COLUMNS, name: draft.ref.name, columns: model.columns.map(({ name }) => name) };
    if (keep !== undefined)
      await checkTieBreak(binding, keep, table, placeIn(placeIn(placeIn(draft.place, 'mode'), 'dedupe'), 'keep'));
  }
  if (isKeyed(draft.mode)) await checkKeyed(binding, draft, draft.mode, model.columns);
  await checkExpectations(binding, model);
}

function checkZorder({ place, zorderBy, partitionBy }: ModelDraft, columns: readonly Column[], notes: Notes): void {
  zorderBy.forEach((name, index) => {
    const at = placeIn(placeIn(place, 'zorderBy'), index);
    const column = findColumn(name, columns, at, notes);
    if (column === undefined) return;
    if (isNested(column.type)) notes.add(at, showColumn(column), 'a column that is neither list nor struct');
    if (partitionBy.some(({ field }) => field.column === name && field.transform.kind === 'identity'))
      notes.add(
        at,
        showColumn(column),
        'another column: all rows of a file have the same value of one that it is partitioned by',
      );
  });
}

function checkRenamed({ place, renamed }: ModelDraft, columns: readonly Column[], notes: Notes): void {
  const claimed = new Map<string, string>();
  for (const [name, before] of Object.entries(renamed)) {
    const at = placeIn(placeIn(place, 'renamed'), name);
    findColumn(name, columns, at, notes);
    for (const former of before) {
      const other = columns.some((column) => column.name === former) ? former : claimed.get(former);
      if (other !== undefined)
        notes.add(at, showValue(former), `a name that only it had; the column ${showValue(other)} has it as well`);
      claimed.set(former, name);
    }
  }
}

function checkPartition(draft: ModelDraft, columns: readonly Column[], notes: Notes): void {
  const seen = new Map<string, string>();
  for (const { field, place } of draft.partitionBy) {
    const column = findColumn(field.column, columns, place, notes);
    if (column === undefined) continue;
    const types = TRANSFORM_TYPES[field.transform.kind];
    if (!types.includes(column.type.kind)) {
      notes.add(place, `${field.transform.kind} of ${showColumn(column)}`, `a column of type ${types.join(', ')}`);
    }
    const same = seen.get(redundancyKey(field));
    if (same !== undefined)
      notes.add(
        place,
        `${field.transform.kind} of ${showValue(field.column)}, which ${same} covers`,
        'each column once per kind of transform',
      );
    seen.set(redundancyKey(field), place);
  }
}

/** Iceberg's readers refuse two time transforms of one column, as they refuse two equal fields. */
function redundancyKey({ column, transform }: PartitionField): string {
  return `${['year', 'month', 'day', 'hour'].includes(transform.kind) ? 'time' : transform.kind} ${column}`;
}

async function checkExpectations(binding: Binding, model: BoundModel): Promise<void> {
  const { draft } = model.parsed;
  const { layer, name } = draft.ref;
  // Workers see the rows that a model makes; what the whole table is comes after the merge.
  const rows = {
    schema: layer === 'silver' ? MAPPED_COLUMNS : layer,
    name,
    columns: model.columns.map((column) => column.name),
  };
  for (const expectation of draft.expect) {
    const place = placeIn(placeIn(draft.place, 'expect'), expectation.name);
    if (expectation.kind === 'row') {
      await checkCondition(binding, expectation.condition, rows, place, expectation.policy === 'drop');
    } else if (expectation.kind === 'unique') {
      expectation.columns.forEach((column, index) => {
        findColumn(
          column,
          model.tableColumns ?? model.columns,
          placeIn(placeIn(place, 'columns'), index),
          binding.notes,
        );
      });
    } else if (expectation.kind === 'sql' && model.tableColumns !== undefined)
      await checkQuery(binding, expectation.query, draft, placeIn(place, 'query'));
  }
}

async function checkQuery({ session, notes }: Binding, query: string, draft: ModelDraft, place: string): Promise<void> {
  const expected = "one SELECT from this, such as 'select * from this where ...'";
  try {
    const tree = await session.parse(query);
    const tables = tablesIn(tree);
    const other = tables.find((table) => table.schema !== '' || table.table.toLowerCase() !== 'this');
    const [foreign] = foreignIn(tree);
    if (foreign !== undefined) notes.add(place, foreign.called, expected);
    else if (statementsOf(tree).length !== 1 || tables.length === 0) notes.add(place, showValue(query), expected);
    else if (other !== undefined) notes.add(place, showTable(other), expected);
    else if (!(await isSubquery(session, query))) {
      notes.add(place, 'a semicolon or a comment at the end', expected);
    } else {
      await session.run(createThis(draft.ref.layer, draft.ref.name));
      await session.describe({ name: 'query', text: userSql(query) });
    }
  } catch (error) {
    const name = error instanceof Error && error.message.startsWith('parse: ') ? 'parse' : 'query';
    const fault = sqlFault(error, name, expected);
    notes.add(place, `${fault.place === undefined ? '' : `${fault.place}: `}${fault.got}`, fault.expected);
  }
}
