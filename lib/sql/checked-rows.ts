import type { BatchRecipe, HiddenColumn } from '../core/batch-recipe.ts';
import type { SourceSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import { FAILED_ROW, HASH, KEY, OK } from './batch-tables.ts';
import { columnChecks, type RowCheck } from './column-checks.ts';
import { type FaultyColumn, notingFaults } from './faults.ts';
import { join, sql } from './fragment.ts';
import { guardCondition, guardValue, raises } from './guard.ts';
import { fillColumn, parseColumn } from './parse-column.ts';
import type { ParsedColumn } from './parsed.ts';
import { ownName, quoteName, quoteText } from './quote.ts';
import {
  FILE,
  type FileGroup,
  MISFIT,
  NOT_AN_OBJECT,
  NTH_FILE,
  nativeType,
  RAW,
  type RejectTables,
  rawName,
  renderLacking,
  renderRawRows,
  renderRecordText,
} from './raw-rows.ts';

/** The code of a row that the engine cannot take through a statement that other rows pass. */
export const ENGINE_ERROR = 'ENGINE_ERROR';

/** A quarantine row keeps at most this many characters of its record; the landed file has them all. */
const LONGEST_RAW = 1_000_000;

/** The record of a layout as quarantine keeps it. */
export function renderKeptText({ layout }: FileGroup): Sql {
  return sql`left(${renderRecordText(layout)}, ${LONGEST_RAW})`;
}

/** Whether a row passes every check, worked out once. */
const PASSES = ownName('__passes');

/**
 * Always true. DuckDB leaves what is volatile where it stands, so the filter on `__ok` stays above the typed columns;
 * pushed below them, it would parse a column once more for every condition on it. What notes faults is volatile itself.
 */
const EVERY_ROW = sql`random() >= 0`;

/** Typed contract columns of well-formed records, whether each passes, and what else the recipe asks for. */
export function renderChecked(source: SourceSpec, group: FileGroup, rejects: RejectTables, recipe: BatchRecipe): Sql {
  const columns = source.columns.map((c) => quoteName(c.name));
  const render: Readonly<Record<HiddenColumn, () => Sql>> = {
    hash: () => sql`${renderHash(source, group)} AS ${HASH}`,
    file: () => FILE,
    key: () => sql`${renderKey(source)} AS ${KEY}`,
    nth_file: () => NTH_FILE,
    failed: () => sql`CASE WHEN NOT ${OK} THEN ${renderFailed(source, group, recipe)} END AS ${FAILED_ROW}`,
  };
  const { guarded, hidden } = recipe;
  const all = passesAll(checksOf(source, group, guarded));
  const passes = recipe.notesFaults
    ? sql`${notingFaults(sql`${MISFIT} IS NULL AND ${all}`, faultsOf(source, group), source)} AS ${OK}`
    : sql`${MISFIT} IS NULL AND ${EVERY_ROW} AND ${all} AS ${OK}`;
  const extra = hidden.map((name) => render[name]());
  const typed = renderTyped(source, group, rejects, guarded);
  // Of rows that fail more is told than that they do: whether one does is then worked out first.
  if (hidden.includes('failed')) {
    return sql`SELECT ${join([...columns, OK, ...extra])}\nFROM (SELECT *, ${passes} FROM (${typed}))`;
  }
  return sql`SELECT ${join([...columns, passes, ...extra])}\nFROM (${typed})`;
}

/** What the quarantine keeps of a record that does not pass. */
function renderFailed(source: SourceSpec, group: FileGroup, { guarded }: BatchRecipe): Sql {
  return sql`{'path': ${FILE}, 'raw': ${renderKeptText(group)}, 'row_hash': ${renderHash(source, group)}, 'business_key': ${renderKey(source)},
  'issues': ${renderIssues(checksOf(source, group, guarded))}}`;
}

/** Why a record does not pass: what is no row at all has no values to say more about. */
function renderIssues(checks: readonly RowCheck[]): Sql {
  const misfit = sql`{'code': 'SCHEMA_ERROR', 'detail': ${MISFIT}}`;
  const issues = checks.map(
    (c) => sql`CASE WHEN NOT (${c.passes}) THEN {'code': ${quoteText(c.code)}, 'detail': ${c.detail}} END`,
  );
  const all = join([sql`CASE WHEN ${MISFIT} IS NOT NULL THEN ${misfit} END`, ...issues]);
  return sql`CASE WHEN ${MISFIT} = ${quoteText(NOT_AN_OBJECT)} THEN [${misfit}]
    ELSE list_filter([${all}], lambda issue: issue IS NOT NULL) END`;
}

/** Every well-formed record in its order: why it does not pass and, where it does not or for `all`, text, hash and key. */
export function renderFailedRows(
  source: SourceSpec,
  groups: readonly FileGroup[],
  rejects: RejectTables,
  {
    guarded,
    all,
    faults,
  }: {
    readonly guarded: boolean;
    readonly all: boolean;
    /** Places of the columns that have rows that fail; undefined: any may. */
    readonly faults?: ReadonlySet<number> | undefined;
  },
): Sql {
  const selects = groups.map((group) => {
    const checks = checksOf(source, group, guarded, faults);
    const shown = (text: Sql): Sql => (all ? text : sql`CASE WHEN NOT ${PASSES} THEN ${text} END`);
    return sql`SELECT ${shown(renderKeptText(group))} AS ${RAW}, ${FILE}, ${shown(renderHash(source, group))} AS ${HASH},
  ${shown(renderKey(source))} AS ${KEY},
  CASE WHEN ${PASSES} THEN [] ELSE ${renderIssues(checks)} END AS issues
FROM (SELECT *, ${MISFIT} IS NULL AND ${passesAll(checks)} AS ${PASSES}
FROM (${renderTyped(source, group, rejects, guarded)}))`;
  });
  return join(selects, '\nUNION ALL\n');
}

function renderTyped(source: SourceSpec, group: FileGroup, rejects: RejectTables, guarded: boolean): Sql {
  const values = source.columns.map((c, i) => {
    const { value } = parsedAt(group, source, i);
    return sql`${guarded ? guardValue(value) : value} AS ${quoteName(c.name)}`;
  });
  return sql`SELECT *, ${join(values)} FROM (${renderRawRows(source, group, rejects)})`;
}

function parsedAt(group: FileGroup, source: SourceSpec, index: number): ParsedColumn {
  const column = source.columns[index];
  if (column === undefined) throw new RangeError(`source ${source.name} has no column ${index}`);
  const parsed = parseColumn(column, rawName(index), nativeType(group.layout, column));
  const lacking = renderLacking(group.layout, column, index);
  return lacking === undefined ? parsed : fillColumn(column, parsed, lacking);
}

/** `guarded`: a row of which an expression raises fails a check, instead of the statement; needs a guarded session. */
function checksOf(
  source: SourceSpec,
  group: FileGroup,
  guarded: boolean,
  only?: ReadonlySet<number>,
): readonly RowCheck[] {
  return source.columns.flatMap((column, i) => {
    if (only?.has(i) === false) return [];
    const parsed = parsedAt(group, source, i);
    const checks = columnChecks(column, rawName(i), parsed, source);
    if (!guarded) return checks;
    const detail = quoteText(`${column.source}: its value cannot be computed`);
    return [
      { code: ENGINE_ERROR, passes: sql`NOT ${raises(parsed.value)}`, detail },
      ...checks.map((check) => ({ ...check, passes: guardCondition(check.passes) })),
    ];
  });
}

/** For each column of which a value may fail: that a row's passes. */
function faultsOf(source: SourceSpec, group: FileGroup): readonly FaultyColumn[] {
  return source.columns.flatMap((_, at) => {
    const checks = checksOf(source, group, false, new Set([at]));
    return checks.length === 0 ? [] : [{ at, passes: passesAll(checks) }];
  });
}

function passesAll(checks: readonly RowCheck[]): Sql {
  return checks.length === 0
    ? sql`true`
    : sql`(${join(
        checks.map((c) => c.passes),
        ' AND ',
      )})`;
}

/**
 * Row hash: SHA-256, in lower-case hex, of the contract columns in contract order, each as `V<bytes>:<raw text>;`, or
 * `N;` where the source has no value. Lengths make the form unambiguous. JSON that is no object has no columns: it is its
 * text that is hashed, since two such values need not be equal. One `concat` writes a column's part once, where every
 * `||` would copy what stands before it.
 */
function renderHash(source: SourceSpec, { layout }: FileGroup): Sql {
  const parts = source.columns.map((_, i) => {
    const text = sql`CAST(${rawName(i)} AS VARCHAR)`;
    return sql`CASE WHEN ${rawName(i)} IS NULL THEN 'N;' ELSE concat('V', strlen(${text}), ':', ${text}, ';') END`;
  });
  const hash = sql`sha256(concat(${join(parts)}))`;
  if (layout.kind !== 'lines' && layout.kind !== 'array') return hash;
  return sql`CASE WHEN ${MISFIT} = ${quoteText(NOT_AN_OBJECT)} THEN sha256(${RAW}) ELSE ${hash} END`;
}

/** The business key as a JSON array of text; null where the source declares none or a part of it is missing. */
function renderKey(source: SourceSpec): Sql {
  if (source.key.length === 0) return sql`CAST(NULL AS VARCHAR)`;
  const parts = source.key.map((name) => sql`CAST(${quoteName(name)} AS VARCHAR)`);
  const missing = join(
    source.key.map((name) => sql`${quoteName(name)} IS NULL`),
    ' OR ',
  );
  return sql`CASE WHEN ${missing} THEN NULL ELSE CAST(json_array(${join(parts)}) AS VARCHAR) END`;
}
