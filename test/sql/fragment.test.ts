import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import type { Sql, SqlLiteral, SqlName } from '../../lib/core/sql-text.ts';
import type { Statement } from '../../lib/core/statement.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { join, NOTHING, sql } from '../../lib/sql/fragment.ts';
import { ownName, quoteName, quotePath, quoteText, quoteTexts } from '../../lib/sql/quote.ts';
import { userSql, userTerm } from '../../lib/sql/user-sql.ts';

const session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 1, scratch: tmpdir() });
after(() => session[Symbol.asyncDispose]());

test('a template puts names, literals, numbers and fragments together', async () => {
  const names = ['a "b"', 'SELECT'].map(quoteName);
  const values = join([quoteText("it's; --"), 9_007_199_254_740_993n]);
  const text = sql`SELECT ${join(names)} FROM (VALUES (${values})) t(${join(names)})${NOTHING}`;
  assert.equal(text, `SELECT "a ""b""", "SELECT" FROM (VALUES ('it''s; --', 9007199254740993)) t("a ""b""", "SELECT")`);
  assert.deepEqual(await session.rows({ name: 'parts', text }), [{ 'a "b"': "it's; --", SELECT: '9007199254740993' }]);
});

test('a text of U+0000 and quotes comes back as it is', async () => {
  for (const text of ['', "'", '\0', "a\0'b", '"', '\\', '${x}', '\n'])
    assert.deepEqual(await session.rows({ name: 'text', text: sql`SELECT ${quoteTexts([text])} AS t` }), [
      { t: [text] },
    ]);
});

test('an empty list is no text', () => {
  assert.equal(join([]), NOTHING);
  assert.equal(join([sql`a`, sql`b`], ' AND '), 'a AND b');
});

test('what users wrote stays as it is, in parentheses where it has to be one', () => {
  assert.equal(userSql('a OR b'), 'a OR b');
  assert.equal(sql`${userTerm('a OR b')} AND c`, '(a OR b) AND c');
});

test('numbers that SQL does not have are refused', () => {
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => sql`${number}`, RangeError);
  assert.throws(() => join([Number.NaN]), RangeError);
});

test('an own name is one that needs no quotes', () => {
  assert.equal(ownName('ops.files'), 'ops.files');
  for (const name of ['', 'a b', 'A', '1a', '"a"', 'a;', 'a.', 'a-b']) assert.throws(() => ownName(name), RangeError);
});

/** Only compiled: a line that compiles below a `@ts-expect-error` fails `npm run types`. */
export function neverCompiles(column: string, open: Session): readonly unknown[] {
  const name: SqlName = quoteName(column);
  const literal: SqlLiteral = quoteText(column);
  const fits: readonly Sql[] = [name, literal, quotePath('a', column), sql`${name} = ${literal} LIMIT ${1}`];
  return [
    fits,
    // @ts-expect-error a name that was not quoted
    sql`SELECT ${column}`,
    // @ts-expect-error a raw template inside
    sql`SELECT ${`${column}`}`,
    // @ts-expect-error a list without a word on what stands between
    sql`SELECT ${[name, name]}`,
    // @ts-expect-error what may be left out has to be said
    sql`SELECT ${column === '' ? undefined : name}`,
    // @ts-expect-error a condition that was meant to leave text out
    sql`SELECT ${column !== '' && name}`,
    // @ts-expect-error a name that is quoted already
    quoteName(name),
    // @ts-expect-error a list of names that were not quoted
    join([column]),
    // @ts-expect-error something else between the parts
    join([name], column),
    // @ts-expect-error a raw template of quoted parts
    `SELECT ${name}` satisfies Sql,
    // @ts-expect-error a concatenation of them
    (name + literal) satisfies Sql,
    // @ts-expect-error what string methods make of it
    name.replaceAll('a', 'b') satisfies Sql,
    // @ts-expect-error a literal for a name
    literal satisfies SqlName,
    // @ts-expect-error a name for a literal
    name satisfies SqlLiteral,
    // @ts-expect-error any piece of SQL for a name
    sql`a` satisfies SqlName,
    // @ts-expect-error a plain string as a statement
    { name: 'plain', text: 'SELECT 1' } satisfies Statement,
    // @ts-expect-error a plain string for the engine
    open.rows({ name: 'plain', text: 'SELECT 1' }),
    // @ts-expect-error a raw template for the engine
    open.run({ name: 'raw', text: `DROP TABLE ${name}` }),
    // @ts-expect-error what a user wrote for the engine
    open.describe({ name: 'user', text: column }),
  ];
}
