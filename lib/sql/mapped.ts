import type { BatchRecipe } from '../core/batch-recipe.ts';
import type { Keep } from '../core/dedupe.ts';
import type { Expectation } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { HASH, KEY_DUPLICATES, MAPPED, PARSED, RAISED, REJECTED, RID } from './batch-tables.ts';
import { renderUnpacked } from './carried.ts';
import { ENGINE_ERROR } from './checked-rows.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { guardCondition } from './guard.ts';
import { quoteName, quoteText } from './quote.ts';
import { userSql, userTerm } from './user-sql.ts';

type RowExpectation = Extract<Expectation, { kind: 'row' }>;

export function createMapped(model: Sql, recipe: Pick<BatchRecipe, 'carriesHash'>): Statement {
  return { name: 'silver_model', text: sql`CREATE TABLE ${MAPPED} AS ${renderUnpacked(model, recipe)}` };
}

/**
 * `__mapped` from SQL whose `wrapped` columns are lists of one value, or NULL where the value raises. `__raised` names
 * the columns that do.
 */
export function createGuarded(
  model: Sql,
  { columns, wrapped }: { readonly columns: readonly string[]; readonly wrapped: readonly string[] },
  recipe: Pick<BatchRecipe, 'carriesHash'>,
): Statement {
  const values = columns.map((name) =>
    wrapped.includes(name) ? sql`${quoteName(name)}[1] AS ${quoteName(name)}` : quoteName(name),
  );
  const raised = wrapped.map((name) => sql`CASE WHEN ${quoteName(name)} IS NULL THEN ${quoteText(name)} END`);
  const list = sql`list_filter([${join([sql`NULL::VARCHAR`, ...raised])}], lambda name: name IS NOT NULL)`;
  const rows = sql`SELECT ${join(values)}, ${list} AS ${RAISED} FROM (${model})`;
  return { name: 'guarded_model', text: sql`CREATE TABLE ${MAPPED} AS ${renderUnpacked(rows, recipe)}` };
}

/** Whether a row breaks an expectation; a condition that is NULL holds, one that raises does not. */
function breaks({ condition }: RowExpectation, guarded: boolean): Sql {
  const holds = sql`COALESCE(${userTerm(condition)}, true)`;
  return sql`NOT ${guarded ? guardCondition(holds) : holds}`;
}

/** Rows per expectation that break it. */
export function countBroken(expectations: readonly RowExpectation[], guarded = false): Statement {
  const counts = expectations.map((e) => sql`count(*) FILTER (${breaks(e, guarded)}) AS ${quoteName(e.name)}`);
  return { name: 'expectations', text: sql`SELECT ${join(counts)} FROM ${MAPPED}` };
}

/** Into `__rejected`: every mapped row that goes to quarantine instead of the table. */
export function rejectMapped(
  expectations: readonly RowExpectation[],
  required: {
    readonly key: readonly string[];
    readonly sequence: readonly string[];
    /** Conditions under which a row's own end comes before its sequence. */
    readonly backwards?: readonly Sql[];
  },
  guard?: readonly RaisedRule[],
): Statement | undefined {
  const issues = expectations.map((e) => {
    const detail = quoteText(`expectation ${e.name} does not hold: ${e.condition}`);
    return sql`CASE WHEN ${breaks(e, guard !== undefined)} THEN {'code': ${quoteText(e.code)}, 'detail': ${detail}} END`;
  });
  const raised = guard ?? [];
  const all = [
    ...raised.map(
      ({ when, detail }) => sql`CASE WHEN ${when} THEN {'code': ${quoteText(ENGINE_ERROR)}, 'detail': ${detail}} END`,
    ),
    ...issues,
    // A column that is both is missed as the sequence: one fault has one code.
    ...required.key
      .filter((column) => !required.sequence.includes(column))
      .map((column) => nullIssue('NULL_KEY', 'key', column)),
    ...required.sequence.map((column) => nullIssue('NULL_SEQUENCE', 'sequence', column)),
    ...(required.backwards ?? []).map(
      (condition) =>
        sql`CASE WHEN ${condition} THEN {'code': 'RANGE_ERROR', 'detail': ${quoteText(`ends before it begins: ${condition}`)}} END`,
    ),
  ];
  if (all.length === 0) return undefined;
  const list = sql`list_filter([${join(all)}], lambda issue: issue IS NOT NULL)`;
  // Few rows are dropped: the lists are only made for those.
  const dropped = [
    ...raised.map(({ when }) => when),
    ...expectations.map((e) => breaks(e, guard !== undefined)),
    ...[...required.key, ...required.sequence].map((column) => sql`${quoteName(column)} IS NULL`),
    ...(required.backwards ?? []),
  ];
  return {
    name: 'reject_mapped',
    text: sql`INSERT INTO ${REJECTED} SELECT ${RID}, ${list}, 'quarantined', true FROM ${MAPPED} WHERE ${join(dropped, ' OR ')}`,
  };
}

/** Under which condition an expression over a mapped row raises, and a text expression that says which. */
export type RaisedRule = { readonly when: Sql; readonly detail: Sql };

/** Of `createGuarded`: rows with columns that raised. */
export const COLUMNS_RAISED: RaisedRule = {
  when: sql`len(${RAISED}) > 0`,
  detail: sql`'cannot be computed: column ' || array_to_string(${RAISED}, ', ')`,
};

/** Raises where one of the expressions raises over a mapped row. */
export function tryExpressions(expressions: readonly Sql[]): Statement {
  const hashes = expressions.map((expression) => sql`max(hash(${expression}))`);
  return { name: 'try_expressions', text: sql`SELECT ${join(hashes)} FROM ${MAPPED}` };
}

function nullIssue(code: string, role: string, column: string): Sql {
  const detail = quoteText(`${role} column ${column} is null`);
  return sql`CASE WHEN ${quoteName(column)} IS NULL THEN {'code': ${quoteText(code)}, 'detail': ${detail}} END`;
}

/**
 * A key duplicate whose row differs from the one that holds the key is condemned; one that is equal to the table's
 * (`known`: its key holders, with their row hash) stays a duplicate.
 */
export function condemnEqualKeys(key: readonly string[], known: Sql | undefined): readonly Statement[] {
  const same = join(
    key.map((name) => sql`m.${quoteName(name)} = t.${quoteName(name)}`),
    ' AND ',
  );
  const equal =
    known === undefined
      ? NOTHING
      : sql`\nANTI JOIN (SELECT m.${RID} AS rid FROM ${MAPPED} m JOIN ${known} t ON ${same} AND t.row_hash = m.${HASH}) e ON k.rid = e.rid`;
  const issue = sql`{'code': 'DUPLICATE_FAILURE', 'detail': 'another row has its key'}`;
  return [
    {
      name: 'condemn_key_duplicates',
      text: sql`INSERT INTO ${REJECTED} SELECT k.rid, [${issue}], 'condemned', true FROM ${KEY_DUPLICATES} k${equal}`,
    },
    {
      name: 'key_duplicates_left',
      text: sql`DELETE FROM ${KEY_DUPLICATES} WHERE rid IN (SELECT rid FROM ${REJECTED} WHERE status = 'condemned')`,
    },
  ];
}

/** The hashes of parsed rows, under a name. */
export function renderParsedHashes(name: string): Sql {
  return sql`(SELECT ${HASH} AS ${quoteName(name)} FROM ${PARSED})`;
}

export function selectHashes(table: Sql, name: string): Sql {
  return sql`SELECT ${quoteName(name)} FROM ${table}`;
}

/**
 * Row numbers of kept rows whose key another row of the batch has, which came earlier or is kept before it, or is in the table
 * (`known`: a relation of keys).
 */
export function createKeyDuplicates(key: readonly string[], known: Sql | undefined, keep?: Keep): Statement {
  const names = key.map(quoteName);
  const same = (left: Sql, right: Sql): Sql =>
    join(
      names.map((n) => sql`${left}.${n} = ${right}.${n}`),
      ' AND ',
    );
  const inTable =
    known === undefined
      ? NOTHING
      : sql`\nUNION\nSELECT k.rid FROM kept k SEMI JOIN ${known} t ON ${same(sql`k`, sql`t`)}`;
  if (keep !== undefined) {
    const order = sql`PARTITION BY ${join(names)} ORDER BY ${renderKeep(keep)}, ${RID}`;
    return {
      name: 'key_duplicates',
      text: sql`CREATE TABLE ${KEY_DUPLICATES} AS
WITH staying AS (SELECT m.* FROM ${MAPPED} m ANTI JOIN ${REJECTED} d ON m.${RID} = d.rid),
repeated AS (SELECT ${join(names)} FROM staying GROUP BY ALL HAVING count(*) > 1),
kept AS (SELECT ${join(names)}, ${RID} AS rid FROM staying)
SELECT rid FROM (SELECT ${RID} AS rid, row_number() OVER (${order}) AS place FROM staying s SEMI JOIN repeated r ON ${same(sql`s`, sql`r`)}) WHERE place > 1${inTable}`,
    };
  }
  return {
    name: 'key_duplicates',
    text: sql`CREATE TABLE ${KEY_DUPLICATES} AS
WITH kept AS (SELECT ${join(names)}, ${RID} AS rid FROM ${MAPPED} ANTI JOIN ${REJECTED} d ON ${RID} = d.rid),
firsts AS (SELECT ${join(names)}, min(rid) AS first FROM kept GROUP BY ALL HAVING count(*) > 1)
SELECT k.rid FROM kept k JOIN firsts f ON ${same(sql`k`, sql`f`)} WHERE k.rid > f.first${inTable}`,
  };
}

/** ORDER BY terms by which rows with one key come, the one that stays first. */
export function renderKeep({ terms, columns }: Keep): Sql {
  return sql`${userSql(terms)}, ${join(columns.map(quoteName))}`;
}

/** The row says itself that it ended before it began, which no history can hold. */
export function renderBackwards(sequence: string, validTo: string): Sql {
  return sql`${quoteName(validTo)} < ${quoteName(sequence)}`;
}

/** The mapped rows that reach the table, without a join where there is nothing to leave out. */
export function renderKept(without: { readonly rejected: boolean; readonly duplicates: boolean }): Sql {
  const drops = without.rejected ? sql` ANTI JOIN ${REJECTED} d ON m.${RID} = d.rid` : NOTHING;
  const duplicates = without.duplicates ? sql` ANTI JOIN ${KEY_DUPLICATES} k ON m.${RID} = k.rid` : NOTHING;
  return sql`(SELECT m.* FROM ${MAPPED} m${drops}${duplicates})`;
}

/** Rows that the model made, those rejected before and after it, and those whose key came before. */
export function countMapped({ equalKeys }: BatchRecipe): Statement {
  const duplicates = equalKeys === null ? sql`0` : sql`(SELECT count(*) FROM ${KEY_DUPLICATES})`;
  return {
    name: 'count_mapped',
    text: sql`SELECT (SELECT count(*) FROM ${MAPPED}) AS mapped, (SELECT count(*) FROM ${REJECTED}) AS rejected, ${duplicates} AS duplicates`,
  };
}

/** Keys of a joined table that stand for more than one row, with their counts: what makes a join multiply rows. */
export function findRepeatedKeys(table: Sql, keys: readonly string[]): Statement {
  const names = join(keys.map(quoteName));
  return {
    name: 'repeated_keys',
    text: sql`SELECT ${names}, count(*) AS rows FROM ${table} GROUP BY ${names} HAVING count(*) > 1 ORDER BY rows DESC, ${names} LIMIT 5`,
  };
}
