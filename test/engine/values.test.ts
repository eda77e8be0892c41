import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { JsonValue, Row, Session } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** Values come out of the engine as they are in it, whatever characters and names they are made of. */

let session: Session;
let scratch: string;
const rows = (text: string): Promise<readonly Row[]> => session.rows({ name: 'test', text: userSql(text) });

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'strata-values-'));
  session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 1, scratch });
});
after(async () => {
  await session[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

const TEXTS: readonly string[] = [
  '\ufeff',
  '\ufeffa',
  '\ufeff\ufeff',
  `\ufeff${'long enough to lie outside of the vector'}`,
  'a\ufeff',
  '\0',
  'a\0b\0',
  "it's\0",
  '\u2028',
  '\ufffe',
  '\u{10ffff}',
  '',
  '__proto__',
];

for (const text of TEXTS) {
  test(`the text ${JSON.stringify(text)} goes into SQL and comes back, alone and nested`, async () => {
    const value = quoteText(text);
    const [row] = await rows(`SELECT ${value} AS t, [${value}] AS l, {'f': [${value}]} AS s, length(${value}) AS n`);
    assert.deepEqual(row, { t: text, l: [text], s: { f: [text] }, n: [...text].length });
  });
}

const own = (value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] =>
  Object.entries(value as { readonly [name: string]: JsonValue });

test('a column and a field called __proto__ are there like any other', async () => {
  const [row] = await rows(
    `SELECT 1 AS "__proto__", 2 AS b, {'__proto__': {'__proto__': 3}, 'c': 4} AS s, {'__proto__': NULL} AS n`,
  );
  assert.ok(row);
  assert.deepEqual(Object.keys(row), ['__proto__', 'b', 's', 'n']);
  assert.deepEqual(
    own(row).map(([, value]) => value),
    [1, 2, row['s'], row['n']],
  );
  assert.deepEqual(JSON.stringify(row['s']), '{"__proto__":{"__proto__":3},"c":4}');
  assert.equal(JSON.stringify(row['n']), '{"__proto__":null}');
});

test('names that every object knows are no values of their own', async () => {
  const [row] = await rows(`SELECT {'constructor': 1, 'toString': NULL} AS s, 5 AS constructor`);
  assert.equal(JSON.stringify(row), '{"s":{"constructor":1,"toString":null},"constructor":5}');
});

test('the statistics of a written file have all of its bounds', async () => {
  const [file] = await session.copy({
    name: 'test',
    text: userSql(
      `COPY (SELECT * FROM (VALUES ('\ufeffa'), ('\ufeffb')) t(x)) TO '${scratch}/out' (FORMAT parquet, RETURN_STATS, FILENAME_PATTERN '{uuid}', PARTITION_BY (x), WRITE_PARTITION_COLUMNS)`,
    ),
  });
  const bounds = file?.columns[0];
  assert.equal(bounds?.min?.codePointAt(0), 0xfeff);
  assert.equal(file?.partition[0]?.value?.codePointAt(0), 0xfeff);
});

test('a negative zero is one', async () => {
  const [row] = await rows(`SELECT '-0.0'::DOUBLE AS d, ['-0.0'::FLOAT] AS l, 0.0::DOUBLE AS z`);
  assert.ok(Object.is(row?.['d'], -0));
  assert.deepEqual(row?.['l'], [-0]);
  assert.ok(Object.is(row?.['z'], 0));
});
