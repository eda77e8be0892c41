import {
  columnsIn,
  type FilesExport,
  LONGEST_NAME,
  LONGEST_PATH,
  partsOf,
  type TemplatePart,
} from '../core/exports.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteName, quoteText } from './quote.ts';

const FILES = ownName('export_files');

export type FilesOfRows = {
  /** A relation with the rows. */
  readonly from: Sql;
  readonly model: string;
  readonly spec: FilesExport;
  /** What has other text than its file gets a file under another name, instead of a note. */
  readonly reissue: boolean;
};

/**
 * Keeps, as a table of the session, what is to become of the file of each row: held against `ops.exports`, which says what
 * was written before. A file that is as it was has no row.
 * - `WRITTEN`: there was none. `CHANGED_SINCE`: there is one with other text. `REISSUED`: so there was, and a next version is written.
 * - `KEPT`: the text is again that of the file. `REFUSED`: the row has no name for a file, and `reason` says why.
 */
export function keepFiles(request: FilesOfRows): Statement {
  return {
    name: 'files of rows',
    text: sql`CREATE OR REPLACE TEMP TABLE ${FILES} AS
WITH named AS (${nameRows(request.spec, request.from)}),
judged AS (SELECT *, sha256(text) AS sha256, ${refusal()} AS reason, row_number() OVER (PARTITION BY target ORDER BY text) AS nth FROM named),
known AS (${knownFiles(request)}),
decided AS (
  SELECT j.* EXCLUDE (missing), k.latest, coalesce(k.versions, 0) + 1 AS version, ${decision(request.reissue)} AS state
  FROM judged j LEFT JOIN known k USING (target) WHERE j.reason IS NULL OR j.nth = 1
)
SELECT target, period, key, reason, state, CASE WHEN reason IS NULL THEN text END AS text, CASE WHEN reason IS NULL THEN sha256 END AS sha256, version
FROM decided WHERE state IS NOT NULL ORDER BY target`,
  };
}

export function countKept(): Statement {
  return { name: 'count the files', text: sql`SELECT count(*) AS files FROM ${FILES}` };
}

/** `target`, `period`, `key`, `reason`, `state`, `text`, `sha256`, `version` (the next of the file) of files `from` up to but without `to`. */
export function pageOfFiles(from: number, to: number): Statement {
  return {
    name: 'files',
    text: sql`SELECT * FROM ${FILES} f WHERE f.rowid >= ${from} AND f.rowid < ${to} ORDER BY f.rowid`,
  };
}

function nameRows({ name, text, period }: FilesExport, from: Sql): Sql {
  const parts = partsOf(name);
  const inName = columnsIn(parts);
  const keys = inName.filter((column) => column !== period);
  const key = keys.length === 0 ? sql`CAST(NULL AS VARCHAR)` : sql`concat_ws('/', ${join(keys.map(asText))})`;
  const missing = inName.length === 0 ? [sql`false`] : inName.map((column) => sql`${quoteName(column)} IS NULL`);
  return sql`SELECT ${renderParts(parts, (column) => sql`url_encode(${asText(column)})`)} AS target,
  ${period === undefined ? sql`CAST(NULL AS VARCHAR)` : asText(period)} AS period, ${key} AS key,
  ${renderParts(partsOf(text), asText)} AS text, ${join(missing, ' OR ')} AS missing FROM ${from}`;
}

/** NULL is no text. */
function renderParts(parts: readonly TemplatePart[], render: (column: string) => Sql): Sql {
  const terms = parts.map((part) =>
    'text' in part ? quoteText(part.text) : sql`coalesce(${render(part.column)}, '')`,
  );
  return sql`(${join([quoteText(''), ...terms], ' || ')})`;
}

function asText(column: string): Sql {
  return sql`CAST(${quoteName(column)} AS VARCHAR)`;
}

/** Values are encoded in names, so that none has a slash of its own; but two dots are two dots. */
function refusal(): Sql {
  return sql`CASE WHEN missing THEN 'a column of its name is null'
  WHEN regexp_matches(target, '(^|/)(\\.{0,2}|\\.strata-[^/]*)(/|$)') THEN 'its name is no path of a file'
  WHEN strlen(target) > ${LONGEST_PATH} OR list_max(list_transform(string_split(target, '/'), lambda part: strlen(part))) > ${LONGEST_NAME}
    THEN 'its name is too long'
  WHEN count(*) OVER (PARTITION BY target) > 1 THEN 'another row has the same name' END`;
}

function knownFiles({ model }: FilesOfRows): Sql {
  return sql`SELECT target, arg_max(sha256, exported_at) FILTER (state IN ('WRITTEN', 'REISSUED')) AS written,
  count(*) FILTER (state IN ('WRITTEN', 'REISSUED')) AS versions, arg_max({'state': state, 'sha256': sha256, 'reason': reason}, exported_at) AS latest
  FROM ops.exports WHERE model = ${quoteText(model)} AND kind = 'files' GROUP BY target`;
}

function decision(reissue: boolean): Sql {
  const changed = reissue
    ? sql`'REISSUED'`
    : sql`CASE WHEN k.latest.state <> 'CHANGED_SINCE' OR k.latest.sha256 IS DISTINCT FROM j.sha256 THEN 'CHANGED_SINCE' END`;
  return sql`CASE
    WHEN j.reason IS NOT NULL THEN CASE WHEN k.latest.state IS DISTINCT FROM 'REFUSED' OR k.latest.reason <> j.reason THEN 'REFUSED' END
    WHEN k.written IS NULL THEN 'WRITTEN'
    WHEN k.written = j.sha256 THEN CASE WHEN k.latest.state NOT IN ('WRITTEN', 'REISSUED', 'KEPT') THEN 'KEPT' END
    ELSE ${changed} END`;
}
