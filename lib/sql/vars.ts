import type { GivenRow } from '../core/model-test.ts';
import type { Variable } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { findMisfits, renderGiven } from './given-rows.ts';
import { quoteName } from './quote.ts';

/**
 * What makes `var('name')` a value of the variable's type in a session. DuckDB puts the value where the call stands when it
 * binds SQL, so that it is a constant like one that was written there.
 */
export function setVars(vars: readonly Variable[]): readonly Statement[] {
  if (vars.length === 0) return [];
  const each = vars.map((one): Statement => {
    const value = sql`(SELECT ${quoteName(one.name)} FROM ${renderGiven([one], [rowOf([one])])})`;
    return { name: `variable ${one.name}`, text: sql`SET VARIABLE ${quoteName(one.name)} = ${value}` };
  });
  return [...each, { name: 'variables', text: sql`CREATE MACRO var(name) AS getvariable(name)` }];
}

/** `nth`, `misfits`: the places of variables whose values are none of their types; no row when there is none. */
export function findMisfitVars(vars: readonly Variable[]): Statement {
  return findMisfits(vars, [rowOf(vars)]);
}

/** `misfits`: the places of variables whose values are none of those that they may have; undefined where all may have any. */
export function findForbiddenVars(vars: readonly Variable[]): Statement | undefined {
  const each = vars.flatMap((one, place) => {
    if (one.in === undefined) return [];
    const name = quoteName(one.name);
    const value = renderGiven([one], [rowOf([one])]);
    const allowed = renderGiven(
      [one],
      one.in.map((text) => rowOf([{ ...one, value: text }])),
    );
    const forbidden = sql`SELECT 1 FROM ${value} WHERE ${name} IS NOT NULL AND ${name} NOT IN (SELECT ${name} FROM ${allowed})`;
    return [sql`CASE WHEN EXISTS (${forbidden}) THEN ${place} END`];
  });
  if (each.length === 0) return undefined;
  const text = sql`SELECT list_filter([${join(each)}], lambda place: place IS NOT NULL) AS misfits`;
  return { name: 'values of variables', text };
}

function rowOf(vars: readonly Variable[]): GivenRow {
  return new Map(
    vars.map(({ name, value }) => [
      name,
      value === null ? { kind: 'null' } : { kind: 'scalar', text: value, json: JSON.stringify(value) },
    ]),
  );
}
