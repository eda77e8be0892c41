import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { commonType } from '../../lib/core/common-type.ts';
import { type ColumnType, parseColumnType, renderColumnType } from '../../lib/core/types.ts';
import { type Compare, compareOpened } from '../../lib/lake/compare/compare-rows.ts';
import { sumsOf } from '../../lib/lake/compare/sums.ts';
import { isPlain, scanLarge } from '../../lib/lake/tables/scan-large.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { describeDuplicates } from '../../lib/query/diff/samples.ts';
import { parseTolerance, toleranceOf } from '../../lib/query/diff/tolerance.ts';
import type { Compared } from '../../lib/sql/diff/by-key.ts';
import { createSide, FROM, TO } from '../../lib/sql/diff/relations.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { createTestEngine, readingSession } from '../support/test-engine.ts';

let session: Session;
before(async () => {
  session = await createTestEngine().open({ ...readingSession(), folders: undefined });
});
after(() => session[Symbol.asyncDispose]());

function typed(text: string): ColumnType {
  const type = parseColumnType(text);
  assert.ok(type, text);
  return type;
}

type Sides = {
  /** Of the columns `a`, `b`, ... */
  readonly types: readonly string[];
  /** The same of the second side, where it is another. */
  readonly retyped?: readonly string[];
  /** Lists of VALUES. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly keys?: readonly number[] | null;
  readonly tolerance?: Readonly<Record<number, string>>;
  readonly sample?: number;
  readonly hidden?: readonly number[];
};

const NAMES = ['a', 'b', 'c', 'd'];

async function compare(sides: Sides): Promise<Compare> {
  for (const view of ['__from_once', '__to_once', '__from_twice', '__to_twice', '__from', '__to']) {
    await session.run({ name: 'drop', text: userSql(`DROP VIEW IF EXISTS ${view}`) });
  }
  await session.run({ name: 'drop', text: userSql('DROP TABLE IF EXISTS __twice') });
  const [old, now] = [sides.types.map(typed), (sides.retyped ?? sides.types).map(typed)];
  const types = old.map((type, at) => commonType(type, now[at] ?? type));
  const side = async (name: typeof FROM, own: readonly ColumnType[], rows: readonly string[]): Promise<void> => {
    const columns = own.map((type, at) => ({ name: NAMES[at] ?? '', type, as: types[at] ?? type }));
    const casts = own.map((type, at) => `CAST(${NAMES[at]} AS ${duckName(type)}) AS ${NAMES[at]}`);
    const values = rows.length === 0 ? `(${own.map(() => 'NULL').join()})` : rows.map((row) => `(${row})`).join();
    const select = `(SELECT ${casts.join()} FROM (VALUES ${values}) v(${NAMES.slice(0, own.length).join()})${rows.length === 0 ? ' WHERE false' : ''})`;
    await session.run(createSide(name, columns, userSql(select)));
  };
  await side(FROM, old, sides.from);
  await side(TO, now, sides.to);
  const compared = types.map((type, at): Compared => {
    const amount = sides.tolerance?.[at];
    const hidden = sides.hidden?.includes(at) === true;
    return { type, hidden, ...(amount === undefined ? {} : { tolerance: toleranceOf(NAMES[at] ?? '', type, amount) }) };
  });
  return compareOpened(session, {
    compared,
    keys: sides.keys === undefined ? [0] : sides.keys,
    sample: sides.sample ?? 0,
  });
}

function duckName(type: ColumnType): string {
  const names = { float: 'FLOAT', string: 'VARCHAR', binary: 'BLOB', timestamptz: 'TIMESTAMPTZ' };
  if (type.kind === 'list') return `${duckName(type.element)}[]`;
  if (type.kind === 'struct') return `STRUCT(${type.fields.map((one) => `${one.name} ${duckName(one.type)}`).join()})`;
  return type.kind in names ? names[type.kind as keyof typeof names] : renderColumnType(type);
}

/** added, removed, changed. */
function figures({ found }: Compare): readonly (number | undefined)[] {
  return ['added', 'removed', 'changed'].map((name) => (found[name] === undefined ? undefined : Number(found[name])));
}

const VALUES: readonly (readonly [what: string, type: string, from: string, to: string, changed: number])[] = [
  ['NULL is NULL', 'int', 'NULL', 'NULL', 0],
  ['NULL is no 0', 'int', 'NULL', '0', 1],
  ['NULL is no text', 'string', "''", 'NULL', 1],
  ['NaN is NaN', 'double', "'nan'", "'nan'", 0],
  ['NaN is no number', 'double', "'nan'", '1', 1],
  ['NaN is not NULL', 'double', 'NULL', "'nan'", 1],
  ['-0.0 is 0.0', 'double', "'-0.0'", '0', 0],
  ['infinity is itself', 'float', "'inf'", "'inf'", 0],
  ['infinities have signs', 'float', "'inf'", "'-inf'", 1],
  ['case and spaces count', 'string', "'a '", "'A'", 1],
  ['a list of NULL is not NULL', 'list<int>', '[NULL]', 'NULL', 1],
  ['an empty list is not NULL', 'list<int>', '[]', 'NULL', 1],
  ['lists have an order', 'list<int>', '[1, 2]', '[2, 1]', 1],
  ['structs are equal by their fields', 'struct<x: int, y: string>', "{'x': 1, 'y': 'a'}", "{'x': 1, 'y': 'a'}", 0],
  ['a struct with a NULL', 'struct<x: int, y: string>', "{'x': 1, 'y': NULL}", "{'x': 1, 'y': 'a'}", 1],
  ['wide decimals', 'decimal(38,0)', "'0'", "'-1'", 1],
  ['bytes', 'binary', "'\\x00'::BLOB", "'\\x01'::BLOB", 1],
];

const TOLERATED: readonly (readonly [type: string, amount: string, from: string, to: string, changed: number])[] = [
  ['decimal(12,2)', '0.01', '1.00', '1.01', 0],
  ['decimal(12,2)', '0.019', '1.00', '1.02', 1],
  ['decimal(12,2)', '0.01', 'NULL', '0.00', 1],
  ['decimal(12,2)', '0', '1.00', '1.00', 0],
  ['decimal(4,2)', '1000000', '-99.99', '99.99', 0],
  ['decimal(38,0)', '5', `${'9'.repeat(38)}`, `-${'9'.repeat(38)}`, 1],
  ['decimal(38,0)', '5', `${'9'.repeat(38)}`, `${'9'.repeat(37)}8`, 0],
  ['decimal(38,37)', '17', '9', '-9', 1],
  ['decimal(38,37)', '17.5', '8', '0', 0],
  ['int', '1.9', '2147483647', '2147483646', 0],
  ['int', '1.9', '1', '3', 1],
  ['bigint', '1', '-9223372036854775808', '9223372036854775807', 1],
  ['double', '0.5', '1', '1.5', 0],
  ['double', '0.5', '1', '1.6', 1],
  ['double', '0.5', "'nan'", "'nan'", 0],
  ['double', '0.5', "'nan'", '1', 1],
  ['double', '0.5', "'inf'", "'inf'", 0],
  ['double', '0.5', "'-inf'", "'inf'", 1],
  ['double', '0.5', 'NULL', '0', 1],
  ['float', '0.5', '1', '1.25', 0],
];

const RETYPED: readonly (readonly [
  from: string,
  to: string,
  as: string,
  before: string,
  after: string,
  changed: number,
])[] = [
  ['int', 'bigint', 'bigint', '1', '1', 0],
  ['int', 'decimal(5,2)', 'decimal(12,2)', '2147483647', '7.00', 1],
  ['decimal(5,2)', 'decimal(8,4)', 'decimal(8,4)', '1.10', '1.1000', 0],
  ['decimal(38,2)', 'decimal(38,4)', 'string', '1.10', '1.1000', 1],
  ['float', 'double', 'double', '0.5', '0.5', 0],
  ['bigint', 'double', 'double', '3', '3', 0],
  ['date', 'timestamp', 'timestamp', "'2026-01-01'", "'2026-01-01 00:00:00'", 0],
  ['int', 'string', 'string', '7', "'7'", 0],
  ['boolean', 'int', 'string', 'true', '1', 1],
  ['list<int>', 'list<bigint>', 'list<bigint>', '[1, NULL]', '[1, NULL]', 0],
  ['list<int>', 'int', 'string', '[1]', '1', 1],
  ['struct<x: int>', 'struct<y: string, x: bigint>', 'struct<"x": bigint>', "{'x': 1}", "{'y': 'a', 'x': 1}", 0],
  ['struct<x: int>', 'struct<x: int, y: int>', 'struct<"x": int>', 'NULL', "{'x': NULL, 'y': 1}", 1],
  ['struct<x: int>', 'struct<y: int>', 'string', "{'x': 1}", "{'y': 1}", 1],
];

describe('values', () => {
  for (const [what, type, from, to, changed] of VALUES) {
    test(what, async () => {
      const pair = { types: ['int', type], from: [`1, ${from}`], to: [`1, ${to}`] };
      assert.deepEqual(figures(await compare(pair)), [0, 0, changed]);
      // As whole rows they are told apart alike.
      assert.deepEqual(figures(await compare({ ...pair, keys: null })), [changed, changed, undefined]);
      // And as keys.
      const keyed = await compare({ types: [type], from: [from], to: [to] });
      assert.deepEqual(figures(keyed), [changed, changed, 0]);
    });
  }

  for (const [type, amount, from, to, changed] of TOLERATED) {
    test(`${from} and ${to} of ${type} within ${amount}`, async () => {
      const found = await compare({
        types: ['int', type],
        from: [`1, ${from}`],
        to: [`1, ${to}`],
        tolerance: { 1: amount },
      });
      assert.deepEqual([...figures(found), Number(found.found['n1'])], [0, 0, changed, changed]);
    });
  }

  for (const [from, to, as, before, after, changed] of RETYPED) {
    test(`${from} and ${to} are compared as ${as}`, async () => {
      assert.equal(renderColumnType(commonType(typed(from), typed(to))), as);
      assert.equal(renderColumnType(commonType(typed(to), typed(from))), as);
      const sides = { types: ['int', from], retyped: ['int', to], from: [`1, ${before}`], to: [`1, ${after}`] };
      assert.deepEqual(figures(await compare(sides)), [0, 0, changed]);
    });
  }

  test('a tolerance is an amount of a column of numbers', () => {
    assert.deepEqual(parseTolerance('a=b=0.5'), ['a=b', '0.5']);
    for (const text of ['a', '=1', 'a=', 'a=-1', 'a=1e3', 'a=.5', `a=${'1'.repeat(19)}`]) {
      assert.throws(() => parseTolerance(text), /--tolerance: got ".*"; expected a column and an amount/);
    }
    assert.throws(
      () => toleranceOf('t', { kind: 'string' }, '1'),
      /got the column t, which holds no numbers \(string\)/,
    );
    assert.equal(toleranceOf('t', typed('decimal(5,3)'), '007.1'), '7.100');
  });
});

describe('sums', () => {
  const SUMS: readonly (readonly [
    type: string,
    from: readonly string[],
    to: readonly string[],
    sums: readonly unknown[],
  ])[] = [
    ['int', ['1', 'NULL'], ['2', '-5'], ['1', '-3', '-4']],
    [
      'bigint',
      ['9223372036854775807', '9223372036854775807'],
      [],
      ['18446744073709551614', null, '-18446744073709551614'],
    ],
    ['decimal(12,2)', ['0.10', '0.20'], ['-0.05'], ['0.30', '-0.05', '-0.35']],
    [
      'decimal(38,2)',
      [`${'9'.repeat(36)}.99`, `${'9'.repeat(36)}.99`],
      ['-0.01'],
      [`1${'9'.repeat(36)}.98`, '-0.01', `-1${'9'.repeat(36)}.99`],
    ],
    [
      'decimal(38,0)',
      ['-12345678901234567890123', '23'],
      ['NULL'],
      ['-12345678901234567890100', null, '12345678901234567890100'],
    ],
    ['double', ['1.5', 'NULL'], ['2'], ['1.5', '2.0', '0.5']],
    ['double', ["'nan'"], ['2'], ['nan', '2.0', 'NaN']],
  ];
  for (const [type, from, to, [before, after, delta]] of SUMS) {
    test(`of ${type} ${from.join(' and ')}`, async () => {
      const { totals } = await compare({ types: [type], from, to, keys: null });
      assert.deepEqual(sumsOf(typed(type), 0, totals.from, totals.to), { from: before, to: after, delta });
      assert.deepEqual([totals.from['rows'], totals.to['rows']], [from.length, to.length]);
      // Sums are made on the way where rows are paired.
      const numbered = (values: readonly string[]) => values.map((value, at) => `${at}, ${value}`);
      const sides = { types: ['int', type], from: numbered(from), to: numbered(to) };
      for (const keyed of [
        await compare(sides),
        await compare({ ...sides, from: [...sides.from, '9, NULL', '9, NULL'] }),
      ]) {
        assert.deepEqual(sumsOf(typed(type), 1, keyed.totals.from, keyed.totals.to), {
          from: before,
          to: after,
          delta,
        });
      }
    });
  }

  test('of texts there are none', () => assert.equal(sumsOf(typed('string'), 0, {}, {}), undefined));
});

describe('keys that come twice', () => {
  test('are named, and their rows compared as they are', async () => {
    const from = ["1, 'a'", "1, 'b'", "2, 'a'", "3, 'a'", "3, 'a'", "NULL, 'n'"];
    const to = ["1, 'b'", "2, 'b'", "3, 'a'", "3, 'a'", "NULL, 'n'", "NULL, 'm'", "4, 'd'"];
    const { found, twice } = await compare({ types: ['int', 'string'], from, to, sample: 2 });
    assert.deepEqual([found['added'], found['removed'], found['changed']], [1, 0, 1]);
    assert.ok(twice);
    assert.deepEqual(describeDuplicates(['id', 'text'], twice), {
      keys: 3,
      rows_from: 5,
      rows_to: 5,
      added: 1,
      removed: 1,
      sample: [
        { key: { id: 1 }, from: 2, to: 1 },
        { key: { id: 3 }, from: 2, to: 2 },
      ],
    });
  });

  for (const [what, from, to] of [
    ['on one side alone', ['1, 1', '1, 2'], []],
    ['on the other', [], ['1, 1', '1, 1']],
    ['on the first, once on the second', ['1, 1', '1, 1'], ['1, 1']],
    ['on both, as often', ['1, 1', '1, 1'], ['1, 1', '1, 1']],
  ] as const) {
    test(what, async () => {
      const { twice } = await compare({ types: ['int', 'int'], from, to });
      assert.deepEqual([twice?.keys['keys'], twice?.keys['was'], twice?.keys['now']], [1, from.length, to.length]);
    });
  }

  test('do not multiply', async () => {
    const many = Array.from({ length: 2000 }, (_, at) => `7, ${at}`);
    const { twice } = await compare({ types: ['int', 'int'], from: many, to: many });
    assert.deepEqual([twice?.rows['added'], twice?.rows['removed']], [0, 0]);
  });
});

test('what is hidden is masked in samples, and compared as it is', async () => {
  const sides = {
    types: ['int', 'string', 'int'],
    from: ["1, 'a', 5", '2, NULL, 7'],
    to: ["1, 'b', 6"],
    hidden: [0, 1, 2],
    sample: 5,
  };
  const { found } = await compare(sides);
  assert.deepEqual(found['changed_rows'], [
    { l0: null, l1: '***', l2: null, r0: null, r1: '***', r2: null, d1: true, d2: true },
  ]);
  assert.deepEqual(found['removed_rows'], [{ c0: null, c1: null, c2: null }]);
  assert.equal((await compare({ ...sides, keys: null })).found['added'], 1);
  const { twice } = await compare({ ...sides, to: ["3, 'b', 6", "3, 'c', 6"] });
  assert.deepEqual(twice?.keys['keys_shown'], [{ c0: null, was: 0, now: 2 }]);
});

describe('files are read by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-diff-'));
  after(() => rmSync(folder, { recursive: true }));
  const columns = [
    { name: 'id', type: typed('bigint'), id: 1 },
    { name: 'note', type: typed('string'), id: 2 },
  ];
  const write = async (name: string, select: string, ids: string): Promise<string> => {
    const path = join(folder, `${name}.parquet`);
    const text = userSql(`COPY (${select}) TO '${path}' (FORMAT parquet, FIELD_IDS {${ids}})`);
    await session.run({ name: 'write', text });
    return path;
  };
  const CASES: readonly (readonly [what: string, select: string, ids: string, plain: boolean])[] = [
    ['where all have the columns', "SELECT 2::BIGINT AS id, 'b' AS note", 'id: 1, note: 2', true],
    ['where one has more', "SELECT 'b' AS note, 5 AS more, 2::BIGINT AS id", 'id: 1, note: 2, more: 3', true],
    ['not where one lacks a column', 'SELECT 2::BIGINT AS id', 'id: 1', false],
    ['not where one calls a column otherwise', "SELECT 2::BIGINT AS id, 'b' AS text", 'id: 1, text: 2', false],
    ['not where one has another of the name', "SELECT 2::BIGINT AS id, 'b' AS note", 'id: 1, note: 3', false],
    ['not where one has a narrower type', "SELECT 2::INTEGER AS id, 'b' AS note", 'id: 1, note: 2', false],
    ['not where only case tells names apart', "SELECT 2::BIGINT AS id, 'b' AS NOTE", 'id: 1, NOTE: 2', false],
  ];
  for (const [at, [what, select, ids, plain]] of CASES.entries()) {
    test(what, async () => {
      const large = `SELECT i AS id, 'a' AS note FROM range(20000) t(i)`;
      const paths = [await write('first', large, 'id: 1, note: 2'), await write(`${at}`, select, ids)];
      assert.equal(await isPlain(session, columns, paths), plain);
      for (const rows of [20_001, 2]) {
        const relation = await scanLarge(session, columns, paths, rows);
        assert.equal(relation.includes('schema = MAP'), !plain || rows === 2);
        const query = userSql(`SELECT count(*) AS n, max(id) AS id, count(DISTINCT note) AS notes FROM ${relation}`);
        const expected = { n: 20_001, id: 19_999, notes: /: 2/.test(ids) ? 2 : 1 };
        assert.deepEqual(await session.rows({ name: 'read', text: query }), [expected]);
      }
    });
  }

  test('not where a column has others in it, and not where rows are deleted', async () => {
    const nested = [{ name: 'id', type: typed('list<int>'), id: 1 }];
    const path = await write('nested', 'SELECT [1] AS id', 'id: 1');
    assert.equal(await isPlain(session, nested, [path]), false);
    const deleted = { path, deleted: { names: ['x'], sequence: 1n, by: [{ path, sequence: 1n }] } };
    assert.match(await scanLarge(session, columns, [deleted], 1e6), /ANTI JOIN/);
    assert.match(await scanLarge(session, columns, [], 0), /WHERE false/);
  });
});

type Cell = number | null;
type Line = readonly [key: Cell, value: Cell];
/** NaN as itself, and both zeros as one. */
const textOf = (value: Cell): string => (value === null ? 'NULL' : Object.is(value, -0) ? '0' : String(value));
const literal = (value: Cell): string =>
  value === null ? 'NULL' : `'${Object.is(value, -0) ? '-0.0' : value}'::DOUBLE`;

/** Rows by key as a person would compare them, with lists. */
function naive(from: readonly Line[], to: readonly Line[], tolerance: number | undefined): readonly number[] {
  const keys = new Set([...from, ...to].map(([key]) => textOf(key)));
  const of = (lines: readonly Line[], key: string) => lines.filter((line) => textOf(line[0]) === key).map(([, v]) => v);
  let [added, removed, changed, twice] = [0, 0, 0, 0];
  for (const key of keys) {
    const [before, after] = [of(from, key), of(to, key)];
    if (before.length > 1 || after.length > 1) twice += 1;
    else if (before.length === 0) added += 1;
    else if (after.length === 0) removed += 1;
    else if (!same(before[0] ?? null, after[0] ?? null, tolerance)) changed += 1;
  }
  return [added, removed, changed, twice];
}

function same(a: Cell, b: Cell, tolerance: number | undefined): boolean {
  if (textOf(a) === textOf(b)) return true;
  return a !== null && b !== null && tolerance !== undefined && Math.abs(a - b) <= tolerance;
}

/** What two lists of rows do not have in common. */
function multiset(from: readonly Line[], to: readonly Line[]): readonly number[] {
  const left = to.map((line) => line.map(textOf).join());
  let removed = 0;
  for (const line of from.map((one) => one.map(textOf).join())) {
    const at = left.indexOf(line);
    if (at < 0) removed += 1;
    else left.splice(at, 1);
  }
  return [left.length, removed];
}

test('any rows are compared as by lists of them', async () => {
  const cell = fc.constantFrom(null, Number.NaN, 0, -0, 1, 1.5, Number.POSITIVE_INFINITY);
  const lines = fc.array(fc.tuple(fc.constantFrom(null, 0, -0, 1, 2, 3, Number.NaN), cell), { maxLength: 6 });
  const tolerances = fc.constantFrom(undefined, 0.5);
  await fc.assert(
    fc.asyncProperty(lines, lines, tolerances, async (from, to, tolerance) => {
      const rows = (all: readonly Line[]) => all.map((line) => line.map(literal).join());
      const sides = { types: ['double', 'double'], from: rows(from), to: rows(to) };
      const keyed = await compare({
        ...sides,
        ...(tolerance === undefined ? {} : { tolerance: { 1: `${tolerance}` } }),
      });
      const twice: Row | undefined = keyed.twice?.keys;
      assert.deepEqual([...figures(keyed), twice?.['keys'] ?? 0], naive(from, to, tolerance));
      const whole = await compare({ ...sides, keys: null });
      assert.deepEqual(figures(whole).slice(0, 2), multiset(from, to));
    }),
    { numRuns: 60 },
  );
});
