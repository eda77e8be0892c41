import { InvalidInput } from '../../core/errors.ts';
import { MASK } from '../../core/personal.ts';
import type { Sql } from '../../core/sql-text.ts';
import { type AthenaWord, databaseIn, isColumn, wordsOf } from '../athena.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import type { MaskedColumn } from '../masked.ts';
import { ownName, quoteName, quotePath, quoteText } from '../quote.ts';
import { engineSql, userSql } from '../user-sql.ts';

/** A table by the names that Glue has for it, in lower case. */
export type AthenaTable = { readonly database: string; readonly table: string };

/** Where in the SQL a table of a lake is named. */
export type AthenaReference = AthenaTable & {
  readonly from: number;
  readonly to: number;
  /** A name of three parts, of which the first is no catalog of ours: a field of a column, or another way to the table. */
  readonly foreign: boolean;
  /** What comes after the name: the moment as of which it is read, as the SQL has it; null: one that is not understood. */
  readonly moment: { readonly text: string; readonly to: number } | undefined | null;
};

/** All columns of a table, and those of them that are masked. */
export type AthenaMask = AthenaTable & {
  readonly columns: readonly string[];
  readonly masked: readonly MaskedColumn[];
};

/** The tables of lakes that SQL names, in their order; with `$` in the name what Athena knows of a table. */
export function tablesIn(text: string): readonly AthenaReference[] {
  const words = wordsOf(text);
  return words.flatMap((word, index): readonly AthenaReference[] => {
    const database = databaseIn(word.text);
    const name = words[index + 2];
    if (database === undefined || name === undefined || words[index + 1]?.text !== '.') return [];
    // Before a database may stand the catalog.
    const first = words[index - 1]?.text === '.' ? words[index - 2] : word;
    const to = name.at + name.text.length;
    const place = { from: first?.at ?? word.at, to, foreign: isColumn(words, index), moment: momentAfter(text, to) };
    return [{ database, table: plainName(name.text), ...place }];
  });
}

/**
 * SQL in which relations that mask what is personal stand in the place of the tables that have it, as `maskView` does for DuckDB: texts
 * are `***`, other values NULL, before any of the SQL sees them. What tells of a table's files would tell values too.
 * Throws InvalidInput where a table is named in a way that no mask can take the place of.
 */
export function maskedQuery(text: string, masks: readonly AthenaMask[]): Sql {
  const named = tablesIn(text).flatMap((reference) => {
    const mask = masks.find((one) => one.database === reference.database && one.table === baseOf(reference.table));
    return mask === undefined ? [] : [{ reference, mask }];
  });
  if (named.length === 0) return userSql(text);
  const words = wordsOf(text);
  const [first] = startOf(words);
  if (LOOKING.includes(first)) {
    refuseContents(first, words, named);
    return userSql(text);
  }
  const relations = new Map<string, { readonly name: string; readonly body: Sql }>();
  let [rest, at] = ['', 0];
  for (const { reference, mask } of named) {
    if (KNOWN_OF_TABLES.some((known) => reference.table.endsWith(known))) continue;
    const relation = relationOf(reference, mask);
    const made = relations.get(relation) ?? { name: nameFor(mask, words, relations), body: engineSql(relation) };
    relations.set(relation, made);
    rest += `${text.slice(at, reference.from)}${quoteName(made.name)}`;
    at = reference.moment?.to ?? reference.to;
  }
  return withRelations(
    rest + text.slice(at),
    [...relations.values()].map(({ name, body }) => sql`${quoteName(name)} AS (${body})`),
  );
}

/** Statements that show no rows, but for some of SHOW. */
const LOOKING = ['show', 'describe', 'desc'];
const SHOWN = ['columns', 'create', 'tables', 'tblproperties', 'databases', 'schemas', 'views'];

/** What Athena knows of a table and holds no value of it. */
const KNOWN_OF_TABLES = ['$history', '$snapshots', '$refs'];

type Named = { readonly reference: AthenaReference; readonly mask: AthenaMask };

function refuseContents(first: string, words: readonly AthenaWord[], [named]: readonly Named[]): void {
  const what = words[1]?.text.toLowerCase() ?? '';
  if (first !== 'show' || SHOWN.includes(what) || named === undefined) return;
  throw refusal(named, `SHOW ${what.toUpperCase()} shows values`);
}

/** The table with its masks. */
function relationOf(reference: AthenaReference, mask: AthenaMask): Sql {
  const { table, moment, foreign } = reference;
  if (foreign) throw refusal({ reference, mask }, 'it is named by way of something else');
  if (table.includes('$')) throw refusal({ reference, mask }, `${table} shows values of its columns`);
  if (moment === null) {
    throw refusal(
      { reference, mask },
      "a moment is expected as TIMESTAMP '2026-01-31 12:00:00 UTC', a number or a text",
    );
  }
  const columns = mask.columns.map((name) => {
    const masked = mask.masked.find((one) => one.name === name);
    return masked === undefined ? quoteName(name) : sql`${maskedValue(masked)} AS ${quoteName(name)}`;
  });
  const asOf = moment === undefined ? NOTHING : sql` ${userSql(moment.text)}`;
  return sql`SELECT ${join(columns)} FROM ${quotePath(mask.database, mask.table)}${asOf}`;
}

/** NULL has the type of the column, whatever Athena calls it. */
function maskedValue({ name, type, sources }: MaskedColumn): Sql {
  const column = quoteName(name);
  if (type.kind !== 'string') return sql`CASE WHEN false THEN ${column} END`;
  const there = sql`${column} IS NOT NULL`;
  if (sources === undefined) return sql`CASE WHEN ${there} THEN ${quoteText(MASK)} END`;
  const texts = join(sources.map((source) => quoteText(source)));
  return sql`CASE WHEN ${there} AND ${ownName('source')} IN (${texts}) THEN ${quoteText(MASK)} ELSE ${column} END`;
}

/** The table's own name, by which its columns may be named, unless the SQL has a relation of that name. */
function nameFor(
  { table }: AthenaMask,
  words: readonly AthenaWord[],
  taken: ReadonlyMap<string, { readonly name: string }>,
): string {
  const names = [...taken.values()].map(({ name }) => name);
  const defined = words.some(({ text }, at) => plainName(text) === table && isDefined(words, at));
  return names.includes(table) || defined ? `masked_${names.length + 1}_${table}` : table;
}

/** `name AS (`, or `name (column, ...) AS (`. */
function isDefined(words: readonly AthenaWord[], at: number): boolean {
  const next = (index: number): string => words[index]?.text.toLowerCase() ?? '';
  const after = next(at + 1) === '(' ? words.findIndex(({ text }, index) => index > at && text === ')') + 1 : at + 1;
  return next(after) === 'as' && next(after + 1) === '(';
}

function withRelations(text: string, relations: readonly Sql[]): Sql {
  if (relations.length === 0) return userSql(text);
  const words = wordsOf(text);
  const [first, index] = startOf(words);
  const start = words[index]?.at ?? 0;
  if (first !== 'with')
    return sql`${userSql(text.slice(0, start))}WITH ${join(relations)} ${userSql(text.slice(start))}`;
  const last = words[index + 1]?.text.toLowerCase() === 'recursive' ? words[index + 1] : words[index];
  const at = (last?.at ?? 0) + (last?.text.length ?? 0);
  return sql`${userSql(text.slice(0, at))} ${join(relations)},${userSql(text.slice(at))}`;
}

/** The word that says what a statement does, and its place; EXPLAIN is about the one after it. */
function startOf(words: readonly AthenaWord[]): readonly [string, number] {
  const word = (index: number): string => words[index]?.text.toLowerCase() ?? '';
  if (word(0) !== 'explain') return [word(0), 0];
  let index = 1;
  while (['analyze', 'verbose'].includes(word(index))) index += 1;
  if (word(index) === '(' && !['select', 'with', '('].includes(word(index + 1))) {
    index = words.findIndex(({ text }) => text === ')') + 1;
  }
  return [word(index), index];
}

const MOMENT = /^\s*FOR\s+(?:TIMESTAMP|VERSION|SYSTEM_TIME|SYSTEM_VERSION)\s+AS\s+OF\s+/i;
/** After which nothing of an expression may follow. */
const LITERAL = /^(?:TIMESTAMP\s*'[^']*'|'[^']*'|\d+)(?![\w.'])(?!\s*(?:[-+*/%|]|AT\s+TIME\b))/i;

function momentAfter(text: string, at: number): AthenaReference['moment'] {
  const clause = MOMENT.exec(text.slice(at))?.[0];
  if (clause === undefined) return /^\s*FOR\b/i.test(text.slice(at)) ? null : undefined;
  const literal = LITERAL.exec(text.slice(at + clause.length))?.[0];
  if (literal === undefined) return null;
  return { text: `${clause.trim()} ${literal}`, to: at + clause.length + literal.length };
}

function plainName(text: string): string {
  return (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text).toLowerCase();
}

/** The table that `people$files` tells of. */
export function baseOf(table: string): string {
  return table.replace(/\$.*/, '');
}

function refusal({ mask }: Named, why: string): InvalidInput {
  const columns = mask.masked.map(({ name }) => name).join(', ');
  return new InvalidInput(
    `the query cannot run: ${mask.database}.${mask.table} has personal columns (${columns}), and ${why}; expected a SELECT of the table by its full name, or --show-personal`,
  );
}
