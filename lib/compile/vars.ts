import { z } from 'zod';
import { cellText } from '../core/cell-text.ts';
import { EngineError } from '../core/errors.ts';
import type { Variable } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import { didYouMean, oneOf } from '../core/suggest.ts';
import { parseColumnType, renderColumnType, TYPE_GRAMMAR } from '../core/types.ts';
import { type VarValues, valuesOf } from '../core/vars.ts';
import type { JsonValue, Session } from '../ports.ts';
import { type Node, nodeAt, nodesAt, offsetOf, placeOfOffset, textAt, walk } from '../sql/tree.ts';
import { findForbiddenVars, findMisfitVars, setVars } from '../sql/vars.ts';
import { readCell } from './cells.ts';
import { checkDistinct, checkName, LONGEST_TABLE_NAME } from './names.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, isRecord, readFields } from './shape.ts';
import type { TestContext } from './test-context.ts';

const VAR = {
  type: { schema: z.string(), expected: `a type: ${TYPE_GRAMMAR}`, required: true },
  default: { schema: z.unknown(), expected: 'a value of the type, or null' },
  in: { schema: z.array(z.unknown()).min(1), expected: 'a list of at least one value of the type' },
  description: { schema: z.string(), expected: 'text' },
} as const satisfies Record<string, Field>;

/** The variables that a pipeline declares; one that is wrong is noted and left out. */
export function readVars(value: unknown, notes: Notes): readonly Variable[] {
  const entries = isRecord(value) ? Object.entries(value) : [];
  const distinct = checkDistinct(
    entries.map(([name]) => name),
    'vars',
    notes,
  );
  return entries.flatMap(([name, variable]) => {
    const place = placeIn('vars', name);
    if (!checkName(name, LONGEST_TABLE_NAME, place, notes) || !distinct.has(name)) return [];
    return readVar(name, variable, place, notes) ?? [];
  });
}

function readVar(name: string, value: unknown, place: string, notes: Notes): Variable | undefined {
  const read = readFields(VAR, value, place, "{ type: 'decimal(10,2)', default: '10.00' }", notes);
  if (read?.type === undefined) return undefined;
  const type = parseColumnType(read.type);
  if (type === undefined) notes.add(placeIn(place, 'type'), showValue(read.type), VAR.type.expected);
  const cell = isRecord(value) && value['default'] !== undefined ? readCell(value['default']) : undefined;
  if (cell === undefined) notes.add(placeIn(place, 'default'), showValue(read.default), VAR.default.expected);
  const allowed = read.in?.flatMap((one, at) => {
    const text = cellText(readCell(one));
    if (text === null)
      notes.add(placeIn(placeIn(place, 'in'), at), showValue(one), 'a value of the type; NULL may always be given');
    return text ?? [];
  });
  if (type === undefined || cell === undefined) return undefined;
  return { name, type, value: cellText(cell), description: read.description ?? null, ...(allowed && { in: allowed }) };
}

/** Values of a pipeline's variables in a test; what is wrong with them is noted. */
export async function readVarValues(
  values: Readonly<Record<string, unknown>>,
  place: string,
  { spec, session, notes }: TestContext,
): Promise<VarValues> {
  const known = spec.vars ?? [];
  const given = Object.entries(values).flatMap(([name, value]): Variable[] => {
    const variable = known.find((one) => one.name === name);
    const cell = readCell(value);
    const names = known.map((one) => one.name);
    if (variable === undefined) notes.add(placeIn(place, name), 'an unknown variable', oneOf(name, names));
    else if (cell === undefined) notes.add(placeIn(place, name), showValue(value), renderColumnType(variable.type));
    return variable === undefined || cell === undefined ? [] : [{ ...variable, value: cellText(cell) }];
  });
  await noteMisfits(session, given, (name) => placeIn(place, name), notes);
  return valuesOf(given);
}

async function noteMisfits(
  session: Session,
  vars: readonly Variable[],
  placeOf: (name: string) => string,
  notes: Notes,
): Promise<void> {
  const found = async (statement: Statement | undefined): Promise<readonly Variable[]> => {
    const [row] = statement === undefined || vars.length === 0 ? [] : await session.rows(statement);
    return (Array.isArray(row?.['misfits']) ? row['misfits'] : []).flatMap((at) => vars[Number(at)] ?? []);
  };
  const misfits = await found(findMisfitVars(vars));
  for (const one of misfits) notes.add(placeOf(one.name), showValue(one.value), renderColumnType(one.type));
  for (const one of await found(findForbiddenVars(vars))) {
    if (!misfits.includes(one))
      notes.add(placeOf(one.name), showValue(one.value), oneOf(one.value ?? '', one.in ?? []));
  }
}

/** Values that a variable may have are values of its type. */
async function noteAllowed(session: Session, vars: readonly Variable[], notes: Notes): Promise<void> {
  for (const { in: allowed = [], ...one } of vars) {
    const each = allowed.map((value, at) => ({ ...one, name: String(at), value }));
    await noteMisfits(session, each, (at) => placeIn(placeIn(placeIn('vars', one.name), 'in'), Number(at)), notes);
  }
}

/** Lets SQL be bound with the variables' defaults. Notes a default that is no value of its variable's type. */
export async function bindVariables(session: Session, vars: readonly Variable[], notes: Notes): Promise<void> {
  if (vars.length === 0) return;
  await noteAllowed(session, vars, notes);
  await noteMisfits(session, vars, (name) => placeIn(placeIn('vars', name), 'default'), notes);
  for (const statement of setVars(vars)) await session.run(statement);
}

/** A session that refuses to parse SQL with a variable that the pipeline does not have. */
export function refusingUnknown(session: Session, vars: readonly Variable[]): Session {
  return {
    ...session,
    async parse(sql) {
      const tree = await session.parse(sql);
      for (const node of callsOf(tree)) checkCall(sql, node, vars);
      return tree;
    },
  };
}

function checkCall(sql: string, node: Node, vars: readonly Variable[]): void {
  const names = vars.map(({ name }) => name);
  const name = nameIn(node);
  const place = placeOfOffset(sql, offsetOf(node));
  if (name === undefined) throw new EngineError(`parse: ${place}: var() of something other than one name in quotes`);
  if (names.includes(name)) return;
  const there = names.length === 0 ? 'the pipeline declares no vars' : `vars has ${names.join(', ')}`;
  throw new EngineError(
    `parse: ${place}: the unknown variable ${JSON.stringify(name)}; ${there}${didYouMean(name, names)}`,
  );
}

/** The variables that SQL uses, by its parse tree. */
export function varsIn(tree: JsonValue): readonly string[] {
  return [...new Set(callsOf(tree).flatMap((node) => nameIn(node) ?? []))].sort();
}

function callsOf(tree: JsonValue): readonly Node[] {
  return [...walk(tree)].filter(
    (node) => node['class'] === 'FUNCTION' && textAt(node, 'function_name').toLowerCase() === 'var',
  );
}

function nameIn(node: Node): string | undefined {
  const [argument, ...more] = nodesAt(node, 'children');
  const value = argument?.['class'] === 'CONSTANT' && more.length === 0 ? nodeAt(argument, 'value') : undefined;
  const name = value?.['value'];
  return typeof name === 'string' ? name : undefined;
}
