import { orderedOver } from '../sql/bind.ts';
import { orderText } from '../sql/syntax.ts';
import { nodeAt, nodesAt, statementsOf, textAt } from '../sql/tree.ts';
import { type Binding, type ConditionTable, noteForeign, noteManyOrVolatile } from './conditions.ts';
import { sqlFault } from './engine-errors.ts';
import { showValue } from './notes.ts';

const TERMS = "ORDER BY terms over the columns of one row, such as 'salary desc, title'";

/** Notes what keeps text from being ORDER BY terms over one row of a table. */
export async function checkTieBreak(
  binding: Binding,
  terms: string,
  table: ConditionTable,
  place: string,
): Promise<void> {
  const { session, notes } = binding;
  const before = notes.found.length;
  try {
    const tree = await session.parse(orderText(terms));
    const [select, ...more] = statementsOf(tree);
    const [order, ...others] = nodesAt(select ?? {}, 'modifiers');
    const alone = more.length === 0 && others.length === 0 && textAt(order ?? {}, 'type') === 'ORDER_MODIFIER';
    const expressions = nodesAt(order ?? {}, 'orders').map((term) => nodeAt(term, 'expression') ?? {});
    const positions = expressions.some((expression) => ['CONSTANT', 'STAR'].includes(textAt(expression, 'class')));
    if (!alone || positions) {
      notes.add(place, showValue(terms), TERMS);
      return;
    }
    noteForeign(notes, tree, place, TERMS);
    noteManyOrVolatile(binding, expressions, terms, table, place, TERMS);
    if (notes.found.length === before) await session.describe(orderedOver(terms, table));
  } catch (error) {
    const name = error instanceof Error && error.message.startsWith('parse: ') ? 'parse' : 'tie break';
    const fault = sqlFault(error, name, TERMS);
    notes.add(place, `${showValue(terms)}: ${fault.got}`, fault.expected);
  }
}
