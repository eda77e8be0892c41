import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { countingStore } from '../../lib/adapters/store/counting.ts';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { addSpent, NOTHING_SPENT, spentBy } from '../../lib/core/requests.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { DataFile } from '../../lib/iceberg/types.ts';
import { decodeValue } from '../../lib/iceberg/values.ts';
import { bringParts, joinRanges } from '../../lib/lake/files/bring-parts.ts';
import type { ObjectStore, Session } from '../../lib/ports.ts';
import { engineSql } from '../../lib/sql/user-sql.ts';

const scratch = await mkdtemp(join(tmpdir(), 'strata-parts-'));
after(() => rm(scratch, { recursive: true, force: true }));

/** Expressions over the row number `i`, by the type that they give. */
const TYPES: readonly (readonly [type: string, value: string, scalar: boolean])[] = [
  ['BIGINT', 'i * 7', true],
  ['INTEGER', 'i % 100', true],
  ['VARCHAR', "'text ' || hash(i)", true],
  ['VARCHAR', 'chr(65 + CAST(i % 3 AS INTEGER))', true],
  ['DOUBLE', 'i / 3.0', true],
  ['DECIMAL(12,2)', 'i / 4', true],
  ['DATE', "DATE '2024-01-01' + CAST(i % 900 AS INTEGER)", true],
  ['TIMESTAMPTZ', "TIMESTAMPTZ '2024-01-01 00:00:00+00' + INTERVAL (i) SECONDS", true],
  ['BOOLEAN', 'i % 2 = 0', true],
  ['UUID', 'CAST(md5(CAST(i AS VARCHAR)) AS UUID)', true],
  ['STRUCT(a INTEGER, b VARCHAR)', "{'a': i % 50, 'b': 'b' || i}", false],
  ['BIGINT[]', 'range(i % 4)', false],
];

type Made = { readonly key: string; readonly file: DataFile; readonly ids: readonly number[] };

const text = (sql: string): { readonly name: string; readonly text: ReturnType<typeof engineSql> } => ({
  name: 'test',
  text: engineSql(sql),
});

/** A file with a row number `i`, field id 1, and columns of these types from field id 2 on, in row groups of 2,048 rows. */
async function makeFile(store: ObjectStore, session: Session, types: readonly number[], rows: number): Promise<Made> {
  const columns = types.map((type, at) => {
    const [name, value] = TYPES[type] ?? assert.fail();
    return `CASE WHEN (i + ${at}) % 11 = 0 THEN NULL ELSE CAST(${value} AS ${name}) END AS c${at}`;
  });
  const ids = types.map((type, at) => {
    const [name] = TYPES[type] ?? assert.fail();
    const inner = name.startsWith('STRUCT')
      ? `{'__duckdb_field_id': ${at + 2}, 'a': ${100 + at}, 'b': ${200 + at}}`
      : name.endsWith('[]')
        ? `{'__duckdb_field_id': ${at + 2}, 'element': ${300 + at}}`
        : `${at + 2}`;
    return `c${at}: ${inner}`;
  });
  const key = `silver/p/t/data/${Math.random()}.parquet`;
  const path = join(scratch, 'made.parquet');
  const from = `SELECT i, ${columns.join(', ')} FROM (SELECT unnest(range(${rows})) AS i)`;
  const options = `FORMAT parquet, ROW_GROUP_SIZE 2048, FIELD_IDS {i: 1, ${ids.join(', ')}}`;
  await session.run(text(`COPY (${from}) TO '${path}' (${options})`));
  const { size } = await store.publish(path, key);
  const none = new Map();
  const file: DataFile = {
    path: store.location(key),
    specId: 0,
    partition: [],
    rows: BigInt(rows),
    bytes: BigInt(size),
    columnSizes: none,
    valueCounts: none,
    nullCounts: none,
    nanCounts: none,
    lowerBounds: none,
    upperBounds: none,
    sortOrderId: null,
  };
  return { key, file, ids: types.map((_, at) => at + 2) };
}

/** Row groups whose `i` may be between two values. */
function between(from: number, to: number): (part: DataFile) => boolean {
  return ({ lowerBounds, upperBounds }) => {
    const [lower, upper] = [lowerBounds.get(1), upperBounds.get(1)];
    if (lower === undefined || upper === undefined) return true;
    return Number(decodeValue('long', lower)) <= to && Number(decodeValue('long', upper)) >= from;
  };
}

async function answer(session: Session, path: string, names: readonly string[], where: string): Promise<unknown> {
  const terms = names.map((name) => `, sum(hash(${name})) AS h_${name}, count(${name}) AS n_${name}`).join('');
  return session.rows(text(`SELECT count(*) AS n ${terms} FROM read_parquet('${path}') WHERE ${where}`));
}

test('parts of a file answer as the whole file does, whatever its columns, and nothing else of it comes', async () => {
  await using session = await createDuckDbEngine().open({ memoryBytes: 500e6, threads: 1, scratch });
  const store = createMemoryStore({ scratch });
  const shapes = fc.record({
    types: fc.array(fc.nat({ max: TYPES.length - 1 }), { minLength: 2, maxLength: 8 }),
    wanted: fc.array(fc.nat({ max: 7 }), { maxLength: 4 }),
    rows: fc.integer({ min: 9_000, max: 14_000 }),
    from: fc.nat({ max: 14_000 }),
    length: fc.nat({ max: 6_000 }),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ types, wanted, rows, from, length }) => {
      const { key, file, ids } = await makeFile(store, session, types, rows);
      const columns = new Set([1, ...wanted.flatMap((at) => ids[at % ids.length] ?? [])]);
      const needed = { columns, mayMatch: between(from, from + length) };
      await using whole = await store.borrow([key]);
      await using parts = await bringParts(store, [{ ...file, needed }]);
      const names = [...columns].map((id) => (id === 1 ? 'i' : `c${id - 2}`));
      const where = `i BETWEEN ${from} AND ${from + length}`;
      const [there, here] = [whole.paths.get(key) ?? '', parts.paths.get(key) ?? ''];
      assert.deepEqual(await answer(session, here, names, where), await answer(session, there, names, where));
      const { brought, kept } = parts.bytes;
      assert.ok(kept === Number(file.bytes) && brought <= kept + 32_768, `${brought} of ${kept}`);
      await assertHoles(session, here, there, columns, ids);
    }),
    { numRuns: Number(process.env['PARTS_RUNS'] ?? 25) },
  );
});

/** A column that was not asked for is refused, rather than answered wrongly; it may have come in the gap between two others. */
async function assertHoles(
  session: Session,
  here: string,
  there: string,
  columns: ReadonlySet<number>,
  ids: readonly number[],
): Promise<void> {
  const [rows] = await session.rows(
    text(`SELECT count(*) AS n, min(i) AS a, max(i) AS b FROM read_parquet('${here}')`),
  );
  if (Number(rows?.['n']) === 0) return;
  const where = `i BETWEEN ${rows?.['a']} AND ${rows?.['b']}`;
  for (const name of ids.filter((one) => !columns.has(one)).map((id) => `c${id - 2}`)) {
    const read = await answer(session, here, [name], where).catch(() => undefined);
    if (read !== undefined) assert.deepEqual(read, await answer(session, there, [name], where), `${name} of ${here}`);
  }
}

test('a column of a large file comes alone, in a file that has the size of the whole', async () => {
  await using session = await createDuckDbEngine().open({ memoryBytes: 500e6, threads: 1, scratch });
  let spent = NOTHING_SPENT;
  const store = createMemoryStore({ scratch });
  const counting = countingStore(store, (call) => {
    spent = addSpent(spent, spentBy(call));
  });
  const { key, file } = await makeFile(store, session, [2, 2, 1], 40_000);
  const needed = { columns: new Set([4]) };
  await using whole = await store.borrow([key]);
  const chunks = `SELECT sum(total_compressed_size)::BIGINT AS bytes FROM parquet_metadata('${whole.paths.get(key)}')`;
  const sizes = await session.rows(text(`${chunks} WHERE path_in_schema = 'c2'`));
  await using parts = await bringParts(counting, [{ ...file, needed }]);
  const path = parts.paths.get(key) ?? '';
  const wanted = Number(sizes[0]?.['bytes']);
  assert.ok(
    parts.bytes.brought < wanted + 40_000 && parts.bytes.brought < parts.bytes.kept / 5,
    JSON.stringify(parts.bytes),
  );
  assert.equal(spent.bytes_in, parts.bytes.brought);
  assert.deepEqual(await session.rows(text(`SELECT count(*) AS n, sum(c2) AS s, count(c2) AS m FROM '${path}'`)), [
    { n: 40_000, s: await sumOf(session), m: 36_364 },
  ]);
  await assert.rejects(session.rows(text(`SELECT sum(length(c0)) FROM '${path}'`)));
  await assert.rejects(session.rows(text(`SELECT sum(length(c1)) FROM '${path}' WHERE c2 = 5`)));
});

async function sumOf(session: Session): Promise<unknown> {
  const rows = await session.rows(
    text('SELECT sum(CAST(i % 100 AS INTEGER)) AS s FROM (SELECT unnest(range(40000)) AS i) WHERE (i + 2) % 11 <> 0'),
  );
  return rows[0]?.['s'];
}

test('a small file, one whose needed columns are most of it, and one without needs come whole', async () => {
  await using session = await createDuckDbEngine().open({ memoryBytes: 500e6, threads: 1, scratch });
  const store = createMemoryStore({ scratch });
  const small = await makeFile(store, session, [1], 100);
  const large = await makeFile(store, session, [2, 8], 20_000);
  await using parts = await bringParts(store, [
    { ...small.file, needed: { columns: new Set() } },
    { ...large.file, needed: { columns: new Set([1, 2]) } },
  ]);
  for (const { key } of [small, large]) {
    assert.deepEqual(await readFile(parts.paths.get(key) ?? ''), Buffer.from((await store.read(key)).bytes));
  }
  await using whole = await bringParts(store, [large.file]);
  assert.deepEqual(whole.bytes, { kept: Number(large.file.bytes), brought: Number(large.file.bytes) });
});

test('a damaged file comes whole, for the engine to refuse it', async () => {
  await using session = await createDuckDbEngine().open({ memoryBytes: 500e6, threads: 1, scratch });
  const store = createMemoryStore({ scratch });
  const { key, file } = await makeFile(store, session, [2], 20_000);
  const damaged = (await store.read(key)).bytes.slice(0, -1);
  await store.write(key, damaged, { kind: 'any' });
  await using parts = await bringParts(store, [{ ...file, needed: { columns: new Set([1]) } }]);
  await assert.rejects(session.rows(text(`SELECT count(*) FROM '${parts.paths.get(key)}'`)), /Parquet|magic/i);
});

test('what was borrowed is given back, also when a file is missing', async () => {
  const own = await mkdtemp(join(scratch, 'own-'));
  await using session = await createDuckDbEngine().open({ memoryBytes: 500e6, threads: 1, scratch });
  const store = createMemoryStore({ scratch: own });
  const { file } = await makeFile(store, session, [2, 2], 20_000);
  const needed = { columns: new Set([2]) };
  await (await bringParts(store, [{ ...file, needed }]))[Symbol.asyncDispose]();
  const missing = { ...file, path: store.location('silver/p/t/data/none.parquet') };
  await assert.rejects(bringParts(store, [{ ...file, needed }, missing]));
  assert.deepEqual(await readdir(own), []);
});

test('ranges that lie close together are one, as long as little comes along', () => {
  const range = (start: number, end: number): { readonly start: number; readonly end: number } => ({ start, end });
  const cases = [
    [[], []],
    [[range(5, 9)], [range(5, 9)]],
    [[range(10, 20), range(0, 10)], [range(0, 20)]],
    [
      [range(0, 10), range(4_000, 4_010), range(9_000, 9_010)],
      [range(0, 4_010), range(9_000, 9_010)],
    ],
    [
      [range(0, 10), range(5_000, 5_010)],
      [range(0, 10), range(5_000, 5_010)],
    ],
    [
      [range(0, 50_000), range(55_000, 105_000), range(108_000, 200_000), range(230_000, 230_001)],
      [range(0, 200_000), range(230_000, 230_001)],
    ],
  ] as const;
  for (const [ranges, expected] of cases) assert.deepEqual(joinRanges(ranges), expected);
});
