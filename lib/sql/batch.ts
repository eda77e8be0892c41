import type { BatchRecipe } from '../core/batch-recipe.ts';
import type { SourceSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { DUPLICATES, HASH, OK, PARSED, REJECTED, RID } from './batch-tables.ts';
import { renderRowId } from './carried.ts';
import { renderChecked } from './checked-rows.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { ownName, quoteName, quotePath } from './quote.ts';
import { FILE, type FileGroup, MISFIT, NTH_FILE, RAW, type RejectTables, renderRawRows } from './raw-rows.ts';

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

/** Whether a statement should not have the checks of all columns twice: those of thousands take longer to plan than to do. */
export function isWide({ source, groups }: Batch): boolean {
  return source.columns.length * groups.length > MOST_CHECKED_TWICE;
}

const MOST_CHECKED_TWICE = 200;

/** A column of the source called `rowid` would stand for the rows' numbers: in `__parsed` it has this name. */
const ROWID_COLUMN = ownName('__rowid');

function shadowsRowNumber({ name }: { readonly name: string }): boolean {
  return name.toLowerCase() === 'rowid';
}

function renderNamed(batch: Batch, group: FileGroup, rejects: RejectTables, recipe: BatchRecipe): Sql {
  const shadowed = batch.source.columns
    .filter(shadowsRowNumber)
    .map((c) => sql`${quoteName(c.name)} AS ${ROWID_COLUMN}`);
  const checked = renderChecked(batch.source, group, rejects, recipe);
  return shadowed.length === 0 ? checked : sql`SELECT * RENAME (${join(shadowed)}) FROM (${checked})`;
}

/** Gives the memory of the parsed rows back once they are mapped. */
export function dropParsed(): Statement {
  return { name: 'drop_parsed', text: sql`DROP TABLE ${PARSED}` };
}

/** Undoes `createParsed` and `createBatchView` of a batch that streams. */
export function dropStreamed({ name }: SourceSpec): readonly Statement[] {
  return [
    { name: 'drop_batch', text: sql`DROP VIEW ${quotePath('batch', name)}` },
    { name: 'drop_parsed', text: sql`DROP VIEW ${PARSED}` },
  ];
}

/** `batch.<source>`: the accepted rows, with the hidden row number last, and in it what the recipe has it carry. */
export function createBatchView(source: SourceSpec, recipe: BatchRecipe): Statement {
  const columns = source.columns.map((c) =>
    shadowsRowNumber(c) ? sql`p.${ROWID_COLUMN} AS ${quoteName(c.name)}` : sql`p.${quoteName(c.name)}`,
  );
  const rid = renderRowId(recipe);
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

/**
 * Of a `__parsed` table: rows that pass every check and were not left out, those dropped as duplicates, those that stand in
 * `__rejected`, and of these the ones that pass.
 */
export function countAccepted(recipe: BatchRecipe): Statement {
  const duplicates = recipe.equalRows === null ? sql`0` : sql`(SELECT count(*) FROM ${DUPLICATES})`;
  const passing = sql`(SELECT count(*) FROM ${PARSED} p SEMI JOIN ${REJECTED} c ON p.rowid = c.rid WHERE p.${OK})`;
  const rejected = recipe.memory ? sql`(SELECT count(*) FROM ${REJECTED})` : sql`0`;
  return {
    name: 'count_accepted',
    text: sql`SELECT count(*) AS accepted, ${duplicates} AS duplicates, ${rejected} AS rejected, ${recipe.memory ? passing : sql`0`} AS passing
FROM ${PARSED} p${leaveOut(recipe)} WHERE p.${OK}`,
  };
}

/** The schema of `batch.<source>`. */
export function createBatchSchema(): Statement {
  return { name: 'schema', text: sql`CREATE SCHEMA IF NOT EXISTS batch` };
}
