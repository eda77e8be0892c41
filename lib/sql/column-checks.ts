import type { ColumnCheck, ContractColumn, SourceSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { type ColumnType, renderColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { strangeKeys } from './parse-nested.ts';
import type { ParsedColumn } from './parsed.ts';
import { quoteName, quoteText } from './quote.ts';
import { duckType } from './types.ts';
import { userTerm } from './user-sql.ts';

/** One reason for which a row is quarantined: when it holds, and what to tell a person. */
export type RowCheck = { readonly code: string; readonly passes: Sql; readonly detail: Sql };

/** All checks of one column, in the order in which their codes are reported. Column names are the contract's. */
export function columnChecks(
  column: ContractColumn,
  raw: Sql,
  parsed: ParsedColumn,
  source: Pick<SourceSpec, 'drift' | 'columns'>,
): readonly RowCheck[] {
  const expected = column.required
    ? `a ${renderColumnType(column.type)}`
    : `a ${renderColumnType(column.type)} or nothing`;
  // Of a record whose columns are shifted, a column that is not personal has the value of one that is.
  const withheld = source.columns.some(({ personal }) => personal === true);
  const called = column.personal === true ? 'a personal value' : 'a value that is withheld';
  const given = withheld
    ? sql`CASE WHEN ${raw} IS NOT NULL THEN ${quoteText(called)} END`
    : sql`'''' || left(CAST(${raw} AS VARCHAR), 80) || ''''`;
  const got = sql`coalesce(${given}, 'nothing')`;
  const detail = (what: string): Sql =>
    sql`${quoteText(`${column.source}: got `)} || ${got} || ${quoteText(`; expected ${what}`)}`;
  const nested = column.type.kind === 'list' || column.type.kind === 'struct';
  const checks: RowCheck[] = [];
  if (column.required) {
    const there = sql`${raw} IS NOT NULL`;
    const passes = parsed.filled === undefined ? there : sql`(${there} OR ${parsed.filled})`;
    checks.push({ code: 'NULL_VALUE_ERROR', passes, detail: detail('a value') });
  }
  if (parsed.exact !== 'true') {
    checks.push({
      code: typeErrorCode(column.type),
      passes: sql`(CASE WHEN ${raw} IS NULL THEN true ELSE COALESCE(${parsed.exact}, false) END)`,
      detail:
        nested && parsed.fault !== undefined && !withheld ? parsed.fault(quoteText(column.source)) : detail(expected),
    });
  }
  const strange =
    source.drift === 'fail' && parsed.text !== undefined ? strangeKeys(column.type, parsed.text) : undefined;
  if (strange !== undefined) {
    const keys = sql`array_to_string(${strange.paths(column.source)}, ', ')`;
    const what = quoteText("not in the contract, and drift is 'fail': key ");
    checks.push({
      code: 'SCHEMA_ERROR',
      passes: sql`COALESCE(${strange.none}, true)`,
      detail: sql`${what} || ${keys}`,
    });
  }
  for (const check of column.checks) {
    const { condition, what } = renderCheck(check, column);
    checks.push({ code: check.code, passes: sql`COALESCE(${condition}, true)`, detail: detail(what) });
  }
  return checks;
}

/** For each limit, list and pattern of a column: whether a value, given as text, passes it. */
export function valueChecks(
  column: ContractColumn,
  value: string,
): readonly { readonly check: ColumnCheck['kind']; readonly holds: Statement }[] {
  return column.checks.flatMap((check) => {
    if (check.kind === 'sql') return [];
    const given = sql`SELECT CAST(${quoteText(value)} AS ${duckType(column.type)}) AS ${quoteName(column.name)}`;
    const { condition } = renderCheck(check, column);
    const text = sql`SELECT COALESCE(${condition}, true) AS ok FROM (${given})`;
    return [{ check: check.kind, holds: { name: 'default', text } }];
  });
}

function renderCheck(check: ColumnCheck, column: ContractColumn): { condition: Sql; what: string } {
  const name = quoteName(column.name);
  const literal = (value: string): Sql => sql`CAST(${quoteText(value)} AS ${duckType(column.type)})`;
  switch (check.kind) {
    case 'min':
      return { condition: sql`${name} >= ${literal(check.value)}`, what: `at least ${check.value}` };
    case 'max':
      return { condition: sql`${name} <= ${literal(check.value)}`, what: `at most ${check.value}` };
    case 'in':
      // DuckDB makes a join of a long IN list, and a join may hold back the last rows of a vector: rows would change places.
      return {
        condition: sql`list_contains([${join(check.values.map(literal))}], ${name})`,
        what: `one of ${shortList(check.values)}`,
      };
    case 'pattern':
      return {
        condition: sql`regexp_full_match(CAST(${name} AS VARCHAR), ${quoteText(check.regex)})`,
        what: `text matching ${check.regex}`,
      };
    case 'sql':
      return { condition: userTerm(check.condition), what: check.condition };
  }
}

function shortList(values: readonly string[]): string {
  return values.length <= 8 ? values.join(', ') : `${values.slice(0, 8).join(', ')}, ... (${values.length} values)`;
}

function typeErrorCode(type: ColumnType): string {
  return ['date', 'timestamp', 'timestamptz'].includes(type.kind) ? 'TIMESTAMP_ERROR' : 'TYPE_ERROR';
}
