import type { BatchRecipe } from '../../core/batch-recipe.ts';
import { keepOf } from '../../core/dedupe.ts';
import { EngineError } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import type { JsonValue, Session } from '../../ports.ts';
import { RID } from '../../sql/batch-tables.ts';
import { raises } from '../../sql/guard.ts';
import { COLUMNS_RAISED, createGuarded, createMapped, type RaisedRule } from '../../sql/mapped.ts';
import { quoteText } from '../../sql/quote.ts';
import { orderText, printedTerm, serializeSql } from '../../sql/syntax.ts';
import { renderTransform } from '../../sql/transform.ts';
import { isNode, type Node, nodesAt, printTree, readTree, statementsOf, withSelect } from '../../sql/tree.ts';
import { duckType, renderCast } from '../../sql/types.ts';
import { engineSql, userSql, userTerm } from '../../sql/user-sql.ts';

/** An expression over a mapped row that is worked out later on, where a row that raises could not be told from others. */
export type LaterExpression = { readonly what: string; readonly expression: Sql };

/**
 * `__mapped`, in which a value that cannot be computed is NULL. Answers the rules by which rows that have such a value,
 * or will have one when they are written or merged, are dropped.
 */
export async function createGuardedRows(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  recipe: BatchRecipe,
): Promise<readonly RaisedRule[]> {
  const wrapped = await wrapSelectList(session, model.sql);
  const plain = wrapped === undefined;
  await session.run(plain ? createMapped(userSql(model.sql), recipe) : createGuarded(wrapped.sql, wrapped, recipe));
  const casts = context.planned.columns
    .filter((c) => model.columns.some((own) => own.name === c.name))
    .map((c) => ({
      what: `column ${c.name} as ${duckType(c.type)}`,
      expression: renderCast(c.name, c.type),
    }));
  const later = [...casts, ...deleteOf(model), ...partitionsOf(context, model), ...(await orderOf(session, model))];
  return [
    ...(wrapped === undefined ? [] : [COLUMNS_RAISED]),
    ...later.map(({ what, expression }) => ({
      when: raises(expression),
      detail: quoteText(`cannot be computed: ${what}`),
    })),
  ];
}

/** What the statements after `__mapped` leave to a merge. */
export async function laterExpressions(
  session: Session,
  context: UnitContext,
  model: SilverModel,
): Promise<readonly LaterExpression[]> {
  const partitions = context.planned.output === 'exchange' ? partitionsOf(context, model) : [];
  return [...partitions, ...(await orderOf(session, model))];
}

function deleteOf(model: SilverModel): readonly LaterExpression[] {
  if (!isKeyed(model) || model.mode.deleteWhen === null) return [];
  return [{ what: `deleteWhen ${model.mode.deleteWhen}`, expression: userTerm(model.mode.deleteWhen) }];
}

function partitionsOf({ planned }: UnitContext, model: SilverModel): readonly LaterExpression[] {
  if (isKeyed(model)) return [];
  return model.partitionBy.flatMap((field) => {
    const column = planned.columns.find((c) => c.name === field.column);
    if (column === undefined) return [];
    return [{ what: `${field.transform.kind}(${field.column})`, expression: renderTransform(field, column.type) }];
  });
}

/** The terms that choose between rows, each on its own. */
async function orderOf(session: Session, model: SilverModel): Promise<readonly LaterExpression[]> {
  const keep = keepOf(model)?.terms;
  if (keep !== undefined) return termsOf(session, `keep ${keep}`, keep);
  if (!isKeyed(model) || model.mode.tieBreak === null) return [];
  return termsOf(session, `tieBreak ${model.mode.tieBreak}`, model.mode.tieBreak);
}

async function termsOf(session: Session, what: string, order: string): Promise<readonly LaterExpression[]> {
  const tree = await parseTree(session, orderText(order));
  const [select] = statementsOf(tree);
  const orders = nodesAt(nodesAt(select ?? {}, 'modifiers')[0] ?? {}, 'orders');
  const terms: LaterExpression[] = [];
  for (const order of orders) {
    const expression = order['expression'];
    if (!isNode(expression) || !isNode(tree) || expression['class'] === 'COLUMN_REF') continue;
    const text = await printed(session, withSelect(tree, { ...select, select_list: [expression], modifiers: [] }));
    terms.push({ what, expression: printedTerm(text) });
  }
  return terms;
}

/**
 * Row-wise SQL in which every expression of the select list is TRY of a list that holds its value, so that NULL says that
 * it raised. `undefined` for SQL that does not take this: several stars, or expressions that use each other's names.
 */
async function wrapSelectList(
  session: Session,
  sql: string,
): Promise<
  { readonly sql: Sql; readonly wrapped: readonly string[]; readonly columns: readonly string[] } | undefined
> {
  const described = await session.describe({ name: 'silver_model', text: userSql(sql) });
  const names = described.map((column) => column.name);
  const tree = await parseTree(session, sql);
  const [select] = statementsOf(tree);
  if (select === undefined || !isNode(tree)) return undefined;
  const items = nodesAt(select, 'select_list');
  const star = items.findIndex((item) => item['class'] === 'STAR');
  const stars = items.filter((item) => item['class'] === 'STAR').length;
  if (stars > 1 || (stars === 0 && items.length !== names.length)) return undefined;
  const nameOf = (i: number): string => names[star < 0 || i < star ? i : names.length - items.length + i] ?? '';
  const wrapped: string[] = [];
  const list = items.map((item, i) => {
    if (['STAR', 'COLUMN_REF', 'CONSTANT'].includes(String(item['class']))) return item;
    wrapped.push(nameOf(i));
    return tryOf(item, nameOf(i));
  });
  const text = await printed(session, withSelect(tree, { ...select, select_list: list }));
  return (await isWrapped(session, text, described, wrapped)) ? { sql: text, wrapped, columns: names } : undefined;
}

/** Whether the SQL binds, and each wrapped column is a list of what it was. */
async function isWrapped(
  session: Session,
  sql: Sql,
  before: readonly { readonly name: string; readonly type: string }[],
  wrapped: readonly string[],
): Promise<boolean> {
  try {
    const after = await session.describe({ name: 'guarded_model', text: sql });
    return before.every(({ name, type }, i) => {
      const expected = name !== RID && wrapped.includes(name) ? `${type}[]` : type;
      return after[i]?.name === name && after[i]?.type === expected;
    });
  } catch (cause) {
    if (cause instanceof EngineError) return false;
    throw cause;
  }
}

function tryOf(expression: Node, alias: string): Node {
  const list = {
    ...{ class: 'FUNCTION', type: 'FUNCTION', alias: '', query_location: 0, function_name: 'list_value', schema: '' },
    ...{ children: [{ ...expression, alias: '' }], filter: null, distinct: false, is_operator: false },
    ...{ order_bys: { type: 'ORDER_MODIFIER', orders: [] }, export_state: false, catalog: '' },
  };
  return { class: 'OPERATOR', type: 'OPERATOR_TRY', alias, query_location: 0, children: [list] };
}

async function parseTree(session: Session, sql: string): Promise<JsonValue> {
  return readTree(textOf(await session.rows(serializeSql(sql))));
}

async function printed(session: Session, tree: JsonValue): Promise<Sql> {
  return engineSql(textOf(await session.rows(printTree(tree))));
}

function textOf(rows: readonly { readonly [column: string]: JsonValue }[]): string {
  return String(rows[0]?.['result'] ?? '');
}
