import type { Variable } from '../core/spec.ts';
import type { JsonValue, Session } from '../ports.ts';
import { conditionOver, conditionText } from '../sql/bind.ts';
import { type Node, nodeAt, nodesAt, statementsOf, walk } from '../sql/tree.ts';
import { sqlFault } from './engine-errors.ts';
import { type FunctionLists, foreignIn, isClock, manyRowsIn, RUN_CLOCK, volatileIn } from './functions.ts';
import { type Notes, showValue } from './notes.ts';

/** What binding needs: the session that holds the empty tables, the engine's functions, the place for problems. */
export type Binding = {
  readonly session: Session;
  readonly functions: FunctionLists;
  readonly vars: readonly Variable[];
  readonly notes: Notes;
};

/** A table that a condition is over. */
export type ConditionTable = { readonly schema: string; readonly name: string; readonly columns: readonly string[] };

const CONDITION = 'an SQL condition over the columns of one row';

/**
 * Notes what keeps text from being a condition over one row of a table. `placesRows`: the condition decides where a row
 * goes, so a retried worker must decide the same and the clock may not take part.
 */
export async function checkCondition(
  binding: Binding,
  condition: string,
  table: ConditionTable,
  place: string,
  placesRows: boolean,
): Promise<void> {
  const { session, notes } = binding;
  const before = notes.found.length;
  try {
    await checkSyntax(binding, condition, table, place, placesRows);
    if (notes.found.length > before) return;
    const columns = await session.describe(conditionOver(condition, table));
    const got = columns.map((column) => column.type).join(', ');
    if (got !== 'BOOLEAN')
      notes.add(place, `${showValue(condition)} of type ${got}`, 'a condition, which is true or false');
  } catch (error) {
    const name = error instanceof Error && error.message.startsWith('parse: ') ? 'parse' : 'condition';
    const fault = sqlFault(error, name, CONDITION);
    notes.add(place, `${showValue(condition)}: ${fault.got}`, fault.expected);
  }
}

async function checkSyntax(
  binding: Binding,
  condition: string,
  table: ConditionTable,
  place: string,
  placesRows: boolean,
): Promise<void> {
  const { session, notes } = binding;
  const tree = await session.parse(conditionText(condition));
  const [select, ...more] = statementsOf(tree);
  const alone = more.length === 0 && select !== undefined && nodesAt(select, 'select_list').length === 1;
  if (!alone || nodeAt(select, 'from_table')?.['type'] !== 'EMPTY') {
    notes.add(place, showValue(condition), CONDITION);
    return;
  }
  noteForeign(notes, tree, place, CONDITION);
  const remedy = `${CONDITION}; use query('select ... from this') to look at many`;
  noteManyRows(binding, [select], condition, place, CONDITION, remedy);
  if (placesRows) noteVolatile(binding, [select], condition, table, place, 'a condition');
}

/** Notes what a text names that is neither table nor value: files, what the engine and the process know. */
export function noteForeign(notes: Notes, tree: JsonValue, place: string, expected: string): void {
  for (const { called } of foreignIn(tree)) notes.add(place, called, expected);
}

/** Notes what keeps expressions from having one value per row, the same for a retried worker. */
export function noteManyOrVolatile(
  binding: Binding,
  expressions: readonly Node[],
  text: string,
  table: ConditionTable,
  place: string,
  expected: string,
): void {
  noteManyRows(binding, expressions, text, place, expected, expected);
  noteVolatile(binding, expressions, text, table, place, 'an order');
}

function noteManyRows(
  { functions, notes }: Binding,
  expressions: readonly Node[],
  text: string,
  place: string,
  alone: string,
  remedy: string,
): void {
  for (const node of walk(expressions)) {
    if (node['class'] === 'SUBQUERY') notes.add(place, `${showValue(text)} with a subquery`, alone);
  }
  for (const { called } of manyRowsIn(expressions, functions)) {
    notes.add(place, `${called} in ${showValue(text)}`, remedy);
  }
}

function noteVolatile(
  { functions, notes }: Binding,
  expressions: readonly Node[],
  text: string,
  table: ConditionTable,
  place: string,
  what: string,
): void {
  const columns = new Set(table.columns.map((column) => column.toLowerCase()));
  for (const { called } of volatileIn(expressions, functions, columns)) {
    const instead = isClock(called) ? `; in its place ${RUN_CLOCK}` : '';
    const expected = `${what} that a retry decides in the same way, so without the clock or chance${instead}`;
    notes.add(place, `${called} in ${showValue(text)}`, expected);
  }
}
