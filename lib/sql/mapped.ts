import type { Expectation } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import { ENGINE_ERROR, HASH, PARSED, RID } from './batch.ts';
import { guardCondition } from './guard.ts';
import { ATTEMPTS } from './memory.ts';
import { quoteName, quoteText } from './quote.ts';
import { FILE } from './raw-rows.ts';

/** What a silver model's SQL makes of the accepted rows, and which of those rows do not reach the table. */
export const MAPPED = '__mapped';
const DROPS = '__drops';
const KEY_DUPLICATES = '__key_duplicates';

type RowExpectation = Extract<Expectation, { kind: 'row' }>;

export function createMapped(sql: string): Statement {
  return { name: 'silver_model', text: `CREATE TABLE ${MAPPED} AS ${sql}` };
}

/**
 * `__mapped` from SQL whose `wrapped` columns are lists of one value, or NULL where the value raises. `__raised` names
 * the columns that do.
 */
export function createGuarded(
  sql: string,
  { columns, wrapped }: { readonly columns: readonly string[]; readonly wrapped: readonly string[] },
): Statement {
  const values = columns.map((name) =>
    wrapped.includes(name) ? `${quoteName(name)}[1] AS ${quoteName(name)}` : quoteName(name),
  );
  const raised = wrapped.map((name) => `CASE WHEN ${quoteName(name)} IS NULL THEN ${quoteText(name)} END`);
  const list = `list_filter([${['NULL::VARCHAR', ...raised].join(', ')}], lambda name: name IS NOT NULL)`;
  return {
    name: 'guarded_model',
    text: `CREATE TABLE ${MAPPED} AS SELECT ${values.join(', ')}, ${list} AS __raised FROM (${sql})`,
  };
}

/** Whether a row breaks an expectation; a condition that is NULL holds, one that raises does not. */
function breaks({ condition }: RowExpectation, guarded: boolean): string {
  const holds = `COALESCE((${condition}), true)`;
  return `NOT ${guarded ? guardCondition(holds) : holds}`;
}

/** Rows per expectation that break it. */
export function countBroken(expectations: readonly RowExpectation[], guarded = false): Statement {
  const counts = expectations.map((e) => `count(*) FILTER (${breaks(e, guarded)}) AS ${quoteName(e.name)}`);
  return { name: 'expectations', text: `SELECT ${counts.join(', ')} FROM ${MAPPED}` };
}

/** `__drops`: number and issues of every mapped row that goes to quarantine instead of the table. */
export function createDrops(
  expectations: readonly RowExpectation[],
  required: {
    readonly key: readonly string[];
    readonly sequence: readonly string[];
    /** Conditions under which a row's own end comes before its sequence. */
    readonly backwards?: readonly string[];
  },
  guard?: readonly RaisedRule[],
): Statement {
  const issues = expectations.map((e) => {
    const detail = quoteText(`expectation ${e.name} does not hold: ${e.condition}`);
    return `CASE WHEN ${breaks(e, guard !== undefined)} THEN {'code': ${quoteText(e.code)}, 'detail': ${detail}} END`;
  });
  const raised = guard ?? [];
  const all = [
    ...raised.map(
      ({ when, detail }) => `CASE WHEN ${when} THEN {'code': ${quoteText(ENGINE_ERROR)}, 'detail': ${detail}} END`,
    ),
    ...issues,
    ...required.key.map((column) => nullIssue('NULL_KEY', 'key', column)),
    ...required.sequence.map((column) => nullIssue('NULL_SEQUENCE', 'sequence', column)),
    ...(required.backwards ?? []).map(
      (condition) =>
        `CASE WHEN ${condition} THEN {'code': 'RANGE_ERROR', 'detail': ${quoteText(`ends before it begins: ${condition}`)}} END`,
    ),
  ];
  const list =
    all.length === 0
      ? 'CAST([] AS STRUCT(code VARCHAR, detail VARCHAR)[])'
      : `list_filter([${all.join(', ')}], lambda issue: issue IS NOT NULL)`;
  // Few rows are dropped: the lists are only made for those.
  const dropped = [
    ...raised.map(({ when }) => when),
    ...expectations.map((e) => breaks(e, guard !== undefined)),
    ...[...required.key, ...required.sequence].map((column) => `${quoteName(column)} IS NULL`),
    ...(required.backwards ?? []),
  ];
  return {
    name: 'drops',
    text: `CREATE TABLE ${DROPS} AS SELECT ${RID} AS rid, ${list} AS issues, 'quarantined' AS status FROM ${MAPPED} WHERE ${dropped.join(' OR ') || 'false'}`,
  };
}

/** Under which condition an expression over a mapped row raises, and a text expression that says which. */
export type RaisedRule = { readonly when: string; readonly detail: string };

/** Raises where one of the expressions raises over a mapped row. */
export function tryExpressions(expressions: readonly string[]): Statement {
  const hashes = expressions.map((expression) => `max(hash(${expression}))`);
  return { name: 'try_expressions', text: `SELECT ${hashes.join(', ')} FROM ${MAPPED}` };
}

function nullIssue(code: string, role: string, column: string): string {
  const detail = quoteText(`${role} column ${column} is null`);
  return `CASE WHEN ${quoteName(column)} IS NULL THEN {'code': '${code}', 'detail': ${detail}} END`;
}

/**
 * A key duplicate whose row differs from the one that holds the key is condemned; one that is equal to the table's
 * (`known`: its key holders, with their row hash) stays a duplicate.
 */
export function condemnKeyDuplicates(key: readonly string[], known: string | undefined): readonly Statement[] {
  const same = key.map((name) => `m.${quoteName(name)} = t.${quoteName(name)}`).join(' AND ');
  const equal =
    known === undefined
      ? ''
      : `\nANTI JOIN (SELECT m.${RID} AS rid FROM ${MAPPED} m JOIN ${PARSED} p ON p.rowid = m.${RID} JOIN ${known} t ON ${same} AND t.row_hash = p.${HASH}) e ON k.rid = e.rid`;
  const issue = "{'code': 'DUPLICATE_FAILURE', 'detail': 'another row has its key'}";
  return [
    {
      name: 'condemn_key_duplicates',
      text: `INSERT INTO ${DROPS} SELECT k.rid, [${issue}], 'condemned' FROM ${KEY_DUPLICATES} k${equal}`,
    },
    {
      name: 'key_duplicates_left',
      text: `DELETE FROM ${KEY_DUPLICATES} WHERE rid IN (SELECT rid FROM ${DROPS} WHERE status = 'condemned')`,
    },
  ];
}

/** Kept rows with what is known of the source row each came from, under the names the table gives it. */
export function renderEnriched(
  kept: string,
  columns: readonly { readonly name: string; readonly value: string }[],
  from: { readonly attempts: boolean; readonly files: readonly { readonly path: string; readonly key: string }[] },
): string {
  const values = columns.map((c) => `${c.value} AS ${quoteName(c.name)}`).join(', ');
  const attempts = from.attempts ? ` LEFT JOIN ${ATTEMPTS} a ON a.rid = k.${RID}` : '';
  const pairs = from.files.map((f) => `(${quoteText(f.path)}, ${quoteText(f.key)})`).join(', ');
  const files = from.files.length === 0 ? '' : ` JOIN (VALUES ${pairs}) f(path, key) ON f.path = p.${FILE}`;
  return `(SELECT k.*, ${values} FROM ${kept} k JOIN ${PARSED} p ON p.rowid = k.${RID}${attempts}${files})`;
}

export function selectHashes(table: string, name: string): string {
  return `SELECT ${quoteName(name)} FROM ${table}`;
}

/** Row numbers of kept rows whose key came earlier in the batch or is in the table (`known`: a relation of keys). */
export function createKeyDuplicates(key: readonly string[], known: string | undefined): Statement {
  const names = key.map(quoteName);
  const same = (left: string, right: string): string => names.map((n) => `${left}.${n} = ${right}.${n}`).join(' AND ');
  const inTable =
    known === undefined ? '' : `\nUNION\nSELECT k.rid FROM kept k SEMI JOIN ${known} t ON ${same('k', 't')}`;
  return {
    name: 'key_duplicates',
    text: `CREATE TABLE ${KEY_DUPLICATES} AS
WITH kept AS (SELECT ${names.join(', ')}, ${RID} AS rid FROM ${MAPPED} ANTI JOIN ${DROPS} d ON ${RID} = d.rid),
firsts AS (SELECT ${names.join(', ')}, min(rid) AS first FROM kept GROUP BY ALL HAVING count(*) > 1)
SELECT k.rid FROM kept k JOIN firsts f ON ${same('k', 'f')} WHERE k.rid > f.first${inTable}`,
  };
}

/** The row says itself that it ended before it began, which no history can hold. */
export function renderBackwards(sequence: string, validTo: string): string {
  return `${quoteName(validTo)} < ${quoteName(sequence)}`;
}

/** The mapped rows that reach the table, without a join where there is nothing to leave out. */
export function renderKept(without: { readonly drops: boolean; readonly duplicates: boolean }): string {
  const drops = without.drops ? ` ANTI JOIN ${DROPS} d ON m.${RID} = d.rid` : '';
  const duplicates = without.duplicates ? ` ANTI JOIN ${KEY_DUPLICATES} k ON m.${RID} = k.rid` : '';
  return `(SELECT m.* FROM ${MAPPED} m${drops}${duplicates})`;
}

export function countDropped(key: boolean): Statement {
  const duplicates = key ? `(SELECT count(*) FROM ${KEY_DUPLICATES})` : '0';
  return {
    name: 'dropped',
    text: `SELECT (SELECT count(*) FROM ${MAPPED}) AS mapped, (SELECT count(*) FROM ${DROPS}) AS quarantined, ${duplicates} AS duplicates`,
  };
}

/** Keys of a joined table that stand for more than one row, with their counts: what makes a join multiply rows. */
export function findRepeatedKeys(table: string, keys: readonly string[]): Statement {
  const names = keys.map(quoteName).join(', ');
  return {
    name: 'repeated_keys',
    text: `SELECT ${names}, count(*) AS rows FROM ${table} GROUP BY ${names} HAVING count(*) > 1 ORDER BY rows DESC, ${names} LIMIT 5`,
  };
}
