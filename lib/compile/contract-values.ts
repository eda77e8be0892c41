import type { ContractColumn } from '../core/spec.ts';
import { type ColumnType, renderColumnType } from '../core/types.ts';
import type { Row } from '../ports.ts';
import { castsOf, isOrdered, tryPattern, tryStrptime } from '../sql/bind.ts';
import { valueChecks } from '../sql/column-checks.ts';
import { parseTimeFormat, TIME_FIELDS } from '../sql/time-format.ts';
import { duckType } from '../sql/types.ts';
import { type Binding, checkCondition } from './conditions.ts';
import type { SourceDraft } from './draft.ts';
import { sqlFault } from './engine-errors.ts';
import { placeIn, showValue } from './notes.ts';

/**
 * Notes limits, allowed values, patterns, formats and conditions of a contract that DuckDB can't make sense of. `bound`: all its columns
 * are known; without some, those that are there are looked at all the same, but no condition, which may be about the others.
 */
export async function checkContractValues(binding: Binding, source: SourceDraft, bound: boolean): Promise<void> {
  const columns = source.spec.columns.map((column) => column.name);
  for (const column of source.spec.columns) {
    const place = placeIn(placeIn(source.place, 'columns'), column.source);
    await checkFormats(binding, column, placeIn(place, 'parse'));
    await checkLimits(binding, column, place);
    await checkDefault(binding, column, placeIn(place, 'default'));
    for (const check of column.checks) {
      if (check.kind === 'in' && !isNested(column.type))
        await checkValues(binding, column.type, check.values, placeIn(place, 'in'));
      if (check.kind === 'pattern') {
        await attempt(
          binding,
          tryPattern(check.regex),
          check.regex,
          'a regular expression in RE2 syntax',
          placeIn(place, 'pattern'),
        );
      }
      if (check.kind !== 'sql' || !bound) continue;
      const table = { schema: 'batch', name: source.spec.name, columns };
      await checkCondition(binding, check.condition, table, source.checkPlaces.get(check) ?? place, true);
    }
  }
}

async function checkFormats(binding: Binding, { parse }: ContractColumn, place: string): Promise<void> {
  for (const format of parse.kind === 'strptime' ? parse.formats : []) {
    const before = binding.notes.found.length;
    await attempt(binding, tryStrptime(format), format, "a strptime format such as '%d/%m/%Y %H:%M:%S'", place);
    if (binding.notes.found.length === before) noteFields(binding, format, place);
  }
}

function noteFields({ notes }: Binding, format: string, place: string): void {
  const read = parseTimeFormat(format);
  if (read.kind === 'unknown') {
    notes.add(place, `the part ${showValue(read.field)} in ${showValue(format)}`, `parts out of ${TIME_FIELDS}`);
  } else if (read.parts.filter((part) => part.kind === 'field' && /^%z$/i.test(part.field)).length > 1) {
    notes.add(place, `two zones in ${showValue(format)}`, 'at most one of %z and %Z');
  }
}

async function checkLimits(binding: Binding, { type, checks }: ContractColumn, place: string): Promise<void> {
  const before = binding.notes.found.length;
  if (isNested(type)) return;
  const min = checks.find((check) => check.kind === 'min');
  const max = checks.find((check) => check.kind === 'max');
  for (const check of [min, max])
    if (check) await checkValues(binding, type, [check.value], placeIn(place, check.kind));
  if (min === undefined || max === undefined || binding.notes.found.length > before) return;
  const [row] = await binding.session.rows(isOrdered(min.value, max.value, duckType(type)));
  if (row?.['ok'] === false) binding.notes.add(placeIn(place, 'min'), min.value, `at most max, which is ${max.value}`);
}

/** A default that breaks a rule of its own column would reject every row that has it. */
async function checkDefault(binding: Binding, column: ContractColumn, place: string): Promise<void> {
  if (column.default === undefined || isNested(column.type) || column.type.kind === 'binary') return;
  const before = binding.notes.found.length;
  await checkValues(binding, column.type, [column.default], place);
  if (binding.notes.found.length > before) return;
  for (const { check, holds } of valueChecks(column, column.default)) {
    const [row] = await attempt(binding, holds, column.default, 'a value of the column', place);
    if (row?.['ok'] === false) {
      binding.notes.add(place, showValue(column.default), `a value that passes the column's own ${check}`);
    }
  }
}

async function checkValues(
  binding: Binding,
  type: ColumnType,
  values: readonly string[],
  place: string,
): Promise<void> {
  const [row] = await binding.session.rows(castsOf(values, duckType(type)));
  const answers = Object.values(row ?? {});
  values.forEach((value, index) => {
    if (answers[index] === true && fitsExactly(value, type)) return;
    binding.notes.add(
      values.length > 1 ? placeIn(place, index) : place,
      showValue(value),
      `a value of type ${renderColumnType(type)}`,
    );
  });
}

/** Rules on lists and structs have been refused already. */
function isNested(type: ColumnType): boolean {
  return type.kind === 'list' || type.kind === 'struct';
}

/** DuckDB's casts round to the type's digits, which would move a limit. */
function fitsExactly(value: string, type: ColumnType): boolean {
  if (type.kind === 'int' || type.kind === 'bigint') return /^[+-]?\d+$/.test(value);
  if (type.kind !== 'decimal') return true;
  const digits = /^[+-]?\d*(?:\.(\d*))?$/.exec(value);
  return digits !== null && (digits[1] ?? '').length <= type.scale;
}

async function attempt(
  { session, notes }: Binding,
  statement: ReturnType<typeof tryPattern>,
  text: string,
  expected: string,
  place: string,
): Promise<readonly Row[]> {
  try {
    return await session.rows(statement);
  } catch (error) {
    notes.add(place, `${showValue(text)}: ${sqlFault(error, statement.name, expected).got}`, expected);
    return [];
  }
}
