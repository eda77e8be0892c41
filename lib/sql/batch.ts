import type { BatchRecipe, HiddenColumn } from '../core/batch-recipe.ts';
import type { SourceSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { DUPLICATES, HASH, KEY, OK, PARSED, REJECTED, RID } from './batch-tables.ts';
import { columnChecks, type RowCheck } from './column-checks.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { guardCondition, guardValue, raises } from './guard.ts';
import { fillColumn, parseColumn } from './parse-column.ts';
import type { ParsedColumn } from './parsed.ts';
import { ownName, quoteName, quotePath, quoteText } from './quote.ts';
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

/** What is read and how: the files of one unit, grouped by shape, in row-number order. */
export type Batch = {
  readonly source: SourceSpec;
  readonly groups: readonly FileGroup[];
};

/** `file`, `records`: what the footers of Parquet files say. */
export function countRecords(batch: Batch): Statement {
  const scans = batch.groups.map((group) => renderRawRows(batch.source, group, NO_REJECTS));
  return {
    name: 'count_records',
    text: sql`SELECT ${FILE} AS file, count(*) AS records FROM (${join(scans, '\nUNION ALL\n')}) GROUP BY ALL`,
  };
}

/** `file`, `records`: well-formed records by file, found by reading every field, so that what is broken fails. */
export function countReadable(batch: Batch, rejects: RejectTables): Statement {
  const scans = batch.groups.map((group) => renderRawRows(batch.source, group, rejects));
  return {
    name: 'read_everything',
    text: sql`SELECT ${FILE} AS file, count(*) FILTER (hash(${RAW}) IS NOT NULL AND ${MISFIT} IS DISTINCT FROM '') AS records
FROM (${join(scans, '\nUNION ALL\n')})
GROUP BY ALL`,
  };
}

const NO_REJECTS: RejectTables = { errors: '', scans: '' };

/** Only scans of text have records that DuckDB refuses. */
export function hasRejects(batch: Batch): boolean {
  return batch.groups.some((g) => g.layout.kind !== 'parquet' && g.rows?.copy === undefined);
}

/** Names of a scan's reject tables. */
export function rejectTables(name: string): RejectTables {
  return { errors: `__rejects_${name}`, scans: `__scans_${name}` };
}

/** Records that a scan refused for their structure, one row per record. */
export function countRejects(rejects: RejectTables): Statement {
  return {
    name: 'count_rejects',
    text: sql`SELECT s.file_path AS file, count(DISTINCT e.line) AS records
FROM ${quoteName(rejects.errors)} e JOIN ${quoteName(rejects.scans)} s USING (scan_id, file_id)
GROUP BY ALL`,
  };
}

/**
 * `__parsed`: typed contract columns, whether the row passes every check, and the recipe's hidden columns. Where the
 * recipe streams it is a view, through which the files pass in the one statement that reads it; else a table, whose rows
 * have a number (rowid) and can be read several times.
 */
export function createParsed(batch: Batch, rejects: RejectTables, recipe: BatchRecipe): readonly Statement[] {
  const groups = recipe.hidden.includes('nth_file') ? numberGroups(batch.groups) : batch.groups;
  const selects = groups.map((group) => renderNamed(batch, group, rejects, recipe));
  const kind = recipe.pass === 'tables' ? sql`TABLE` : sql`VIEW`;
  const create = (select: Sql): Statement => ({ name: 'parse', text: sql`CREATE ${kind} ${PARSED} AS\n${select}` });
  if (!recipe.byShape) return [create(join(selects, '\nUNION ALL\n'))];
  return selects.map((select, i) =>
    i === 0 ? create(select) : { name: 'parse', text: sql`INSERT INTO ${PARSED}\n${select}` },
  );
}

function numberGroups(groups: readonly FileGroup[]): readonly FileGroup[] {
  let first = 0;
  return groups.map((group) => {
    const numbered = { ...group, first };
    first += group.paths.length;
    return numbered;
  });
}

/**
 * Whether one statement over all shapes of a batch is too large: each shape has every column of the contract, and the
 * engine's memory and time for a union grow faster than the number of columns in it.
 */
export function hasManyShapes({ source, groups }: Batch): boolean {
  return groups.length > 1 && source.columns.length * groups.length > MOST_IN_UNION;
}

const MOST_IN_UNION = 2_000;

/** A column of the source called `rowid` would stand for the rows' numbers: in `__parsed` it has this name. */
const ROWID_COLUMN = ownName('__rowid');

function shadowsRowNumber({ name }: { readonly name: string }): boolean {
  return name.toLowerCase() === 'rowid';
}

function renderNamed(batch: Batch, group: FileGroup, rejects: RejectTables, recipe: BatchRecipe): Sql {
  const shadowed = batch.source.columns
    .filter(shadowsRowNumber)
    .map((c) => sql`${quoteName(c.name)} AS ${ROWID_COLUMN}`);
  const checked = renderChecked(batch, group, rejects, recipe);
  return shadowed.length === 0 ? checked : sql`SELECT * RENAME (${join(shadowed)}) FROM (${checked})`;
}

/** Gives the memory of the parsed rows back once they are mapped. */
export function dropParsed(): Statement {
  return { name: 'drop_parsed', text: sql`DROP TABLE ${PARSED}` };
}

/**
 * `batch.<source>`: the accepted rows, with the hidden row number last. Where they stream past they have none, and the
 * number of their file in its place.
 */
export function createBatchView(source: SourceSpec, recipe: BatchRecipe): Statement {
  const columns = source.columns.map((c) =>
    shadowsRowNumber(c) ? sql`p.${ROWID_COLUMN} AS ${quoteName(c.name)}` : sql`p.${quoteName(c.name)}`,
  );
  const nth = recipe.hidden.includes('nth_file') ? sql`p.${NTH_FILE}` : sql`NULL`;
  const rid = recipe.pass === 'tables' ? sql`p.rowid` : sql`CAST(${nth} AS BIGINT)`;
  return {
    name: 'batch',
    text: sql`CREATE VIEW ${quotePath('batch', source.name)} AS SELECT ${join(columns)}, ${rid} AS ${RID} FROM ${PARSED} p${leaveOut(recipe)} WHERE p.${OK}`,
  };
}

/** Parsed rows that do not reach the model whatever they say: those that came before, and those that memory condemns. */
function leaveOut({ equalRows, memory }: BatchRecipe): Sql {
  const twice = equalRows === null ? NOTHING : sql` ANTI JOIN ${DUPLICATES} d ON p.rowid = d.rid`;
  return sql`${twice}${memory ? sql` ANTI JOIN ${REJECTED} c ON p.rowid = c.rid` : NOTHING}`;
}

/** An empty table of rejected rows. */
export function createRejected(): Statement {
  return {
    name: 'rejected',
    text: sql`CREATE TABLE ${REJECTED} (rid BIGINT, issues STRUCT(code VARCHAR, detail VARCHAR)[], status VARCHAR, own BOOLEAN)`,
  };
}

/** `nth`, `first`: the number of each file that has rows, and of its first row, in their order. Of a `__parsed` table. */
export function listFirstRows(): Statement {
  return {
    name: 'first_rows',
    text: sql`SELECT ${NTH_FILE} AS nth, min(rowid) AS "first" FROM ${PARSED} GROUP BY ALL ORDER BY "first"`,
  };
}

/** Row numbers of rows whose hash came earlier in the batch, or is in the table already (`known`: a SELECT of hashes). */
export function createHashDuplicates(known: Sql | undefined): Statement {
  const inTable = known === undefined ? NOTHING : sql`\nUNION\nSELECT rowid FROM ${PARSED} WHERE ${HASH} IN (${known})`;
  return {
    name: 'hash_duplicates',
    text: sql`CREATE TABLE ${DUPLICATES} AS
WITH firsts AS (SELECT ${HASH} AS hash, min(rowid) AS first FROM ${PARSED} GROUP BY ALL HAVING count(*) > 1)
SELECT p.rowid AS rid FROM ${PARSED} p JOIN firsts f ON p.${HASH} = f.hash WHERE p.rowid > f.first${inTable}`,
  };
}

/** Every well-formed record in its order: why it does not pass and, where it does not or for `all`, text, hash and key. */
export function renderFailedRows(batch: Batch, rejects: RejectTables, { guarded }: BatchRecipe, all: boolean): Sql {
  const selects = batch.groups.map((group) => {
    const checks = checksOf(batch.source, group, guarded);
    const issues = checks.map(
      (c) => sql`CASE WHEN NOT (${c.passes}) THEN {'code': ${quoteText(c.code)}, 'detail': ${c.detail}} END`,
    );
    const misfit = sql`{'code': 'SCHEMA_ERROR', 'detail': ${MISFIT}}`;
    const codes = join([sql`CASE WHEN ${MISFIT} IS NOT NULL THEN ${misfit} END`, ...issues]);
    const shown = (text: Sql): Sql => (all ? text : sql`CASE WHEN NOT __passes THEN ${text} END`);
    return sql`SELECT ${shown(renderRecordText(group.layout))} AS ${RAW}, ${FILE}, ${shown(renderHash(batch.source, group))} AS ${HASH},
  ${shown(renderKey(batch.source))} AS ${KEY},
  CASE WHEN __passes THEN [] WHEN ${MISFIT} = ${quoteText(NOT_AN_OBJECT)} THEN [${misfit}]
    ELSE list_filter([${codes}], lambda issue: issue IS NOT NULL) END AS issues
FROM (SELECT *, ${MISFIT} IS NULL AND ${passesAll(checks)} AS __passes
FROM (${renderTyped(batch.source, group, rejects, guarded)}))`;
  });
  return join(selects, '\nUNION ALL\n');
}

function renderChecked(batch: Batch, group: FileGroup, rejects: RejectTables, { hidden, guarded }: BatchRecipe): Sql {
  const { source } = batch;
  const columns = source.columns.map((c) => quoteName(c.name));
  const render: Readonly<Record<HiddenColumn, () => Sql>> = {
    hash: () => sql`${renderHash(source, group)} AS ${HASH}`,
    file: () => FILE,
    key: () => sql`${renderKey(source)} AS ${KEY}`,
    nth_file: () => NTH_FILE,
  };
  const passes = sql`${MISFIT} IS NULL AND ${EVERY_ROW} AND ${passesAll(checksOf(source, group, guarded))}`;
  const extra = hidden.map((name) => render[name]());
  return sql`SELECT ${join([...columns, sql`${passes} AS ${OK}`, ...extra])}\nFROM (${renderTyped(source, group, rejects, guarded)})`;
}

/**
 * Always true. DuckDB leaves what is volatile where it stands, so the filter on `__ok` stays above the typed columns;
 * pushed below them, it would parse a column once more for every condition on it.
 */
const EVERY_ROW = sql`random() >= 0`;

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
function checksOf(source: SourceSpec, group: FileGroup, guarded: boolean): readonly RowCheck[] {
  return source.columns.flatMap((column, i) => {
    const parsed = parsedAt(group, source, i);
    const checks = columnChecks(column, rawName(i), parsed, source.drift);
    if (!guarded) return checks;
    const detail = quoteText(`${column.source}: its value cannot be computed`);
    return [
      { code: ENGINE_ERROR, passes: sql`NOT ${raises(parsed.value)}`, detail },
      ...checks.map((check) => ({ ...check, passes: guardCondition(check.passes) })),
    ];
  });
}

/** The code of a row that the engine cannot take through a statement that other rows pass. */
export const ENGINE_ERROR = 'ENGINE_ERROR';

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
 * text that is hashed, since two such values need not be equal.
 */
function renderHash(source: SourceSpec, { layout }: FileGroup): Sql {
  const parts = source.columns.map((_, i) => {
    const text = sql`CAST(${rawName(i)} AS VARCHAR)`;
    return sql`CASE WHEN ${rawName(i)} IS NULL THEN 'N;' ELSE 'V' || strlen(${text}) || ':' || ${text} || ';' END`;
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

/** Of a `__parsed` table: rows that pass every check and were not dropped as duplicates, and those dropped. */
export function countAccepted(recipe: BatchRecipe): Statement {
  const duplicates = recipe.equalRows === null ? sql`0` : sql`(SELECT count(*) FROM ${DUPLICATES})`;
  return {
    name: 'count_accepted',
    text: sql`SELECT count(*) AS accepted, ${duplicates} AS duplicates FROM ${PARSED} p${leaveOut(recipe)} WHERE p.${OK}`,
  };
}

/** The schema of \`batch.<source>\`. */
export function createBatchSchema(): Statement {
  return { name: 'schema', text: sql`CREATE SCHEMA IF NOT EXISTS batch` };
}
