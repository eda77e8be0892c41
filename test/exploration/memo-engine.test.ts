import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Engine, Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { createMemoEngine } from '../support/memo-engine.ts';
import { createTestEngine, makeScratch } from '../support/test-engine.ts';

const real = createTestEngine();
let scratch: string;
let asked: string[];
let engine: Engine;

function watched(inner: Engine): Engine {
  return {
    async open(options) {
      const session = await inner.open(options);
      const noted = <S extends { readonly text: string }, T>(act: (statement: S) => Promise<T>) => {
        return (statement: S): Promise<T> => {
          asked.push(statement.text);
          return act(statement);
        };
      };
      return { ...session, rows: noted(session.rows), run: noted(session.run), copy: noted(session.copy) };
    },
  };
}

const of = (text: string) => ({ name: 'test', text: userSql(text) });

async function inSession<T>(act: (session: Session) => Promise<T>): Promise<T> {
  await using session = await engine.open({ memoryBytes: 2e8, threads: 1, scratch, folders: [scratch] });
  return await act(session);
}

function file(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}

const read = (path: string) => of(`SELECT a FROM read_csv('${path}', header = true, columns = {'a': 'INTEGER'})`);

describe('an engine that remembers', () => {
  beforeEach(() => {
    scratch = makeScratch();
    asked = [];
    engine = createMemoEngine(watched(real));
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  test('is asked once about the same content, whatever its place, and again about another', async () => {
    const rows = (path: string) => inSession((session) => session.rows(read(path)));
    assert.deepEqual(await rows(file('one.csv', 'a\n1\n')), [{ a: 1 }]);
    assert.deepEqual(await rows(file('two.csv', 'a\n1\n')), [{ a: 1 }]);
    assert.equal(asked.length, 1);
    assert.deepEqual(await rows(file('two.csv', 'a\n2\n')), [{ a: 2 }]);
    assert.equal(asked.length, 2);
  });

  test('tells the same question after other statements apart', async () => {
    const after = (value: number) =>
      inSession(async (session) => {
        await session.run(of(`CREATE TABLE t AS SELECT ${value} AS a`));
        return session.rows(of('FROM t'));
      });
    assert.deepEqual([await after(1), await after(2), await after(1)], [[{ a: 1 }], [{ a: 2 }], [{ a: 1 }]]);
    assert.equal(asked.length, 4);
  });

  test('brings a session to where it would be, over files that were given back', async () => {
    const ask = (last: string) =>
      inSession(async (session) => {
        const folder = join(scratch, 'borrowed');
        mkdirSync(folder);
        const path = file('borrowed/given.csv', 'a\n5\n');
        await session.run(of(`CREATE VIEW v AS ${read(path).text}`));
        await session.run(of('CREATE TABLE t AS FROM v'));
        rmSync(folder, { recursive: true });
        const answer = await session.rows(of(last));
        assert.equal(existsSync(folder), false);
        return answer;
      });
    assert.deepEqual(await ask('SELECT a FROM t'), [{ a: 5 }]);
    assert.deepEqual(await ask('SELECT a + 1 AS b FROM t'), [{ b: 6 }]);
  });

  test('fails whenever what it is asked fails', async () => {
    const fail = () => inSession((session) => session.run(of("CREATE TABLE t AS SELECT error('no') AS a")));
    await assert.rejects(fail(), /no/);
    await assert.rejects(fail(), /no/);
  });

  test('writes again what a COPY wrote, one file or a folder of them', async () => {
    const copy = (target: string, options = '') =>
      inSession((session) => {
        const text = `COPY (SELECT 7 AS a, 1 AS p) TO '${join(scratch, target)}' (FORMAT parquet, RETURN_STATS${options})`;
        return session.copy(of(text));
      });
    const TARGETS = [
      ['one.parquet', 'two.parquet', ''],
      ['first', 'second', ', PARTITION_BY (p)'],
    ] as const;
    for (const [before, target, options] of TARGETS) {
      const [made] = await copy(before, options);
      const [again] = await copy(target, options);
      assert.equal(again?.path, made?.path.replace(before, target));
      assert.deepEqual(readFileSync(again?.path ?? ''), readFileSync(made?.path ?? ''));
    }
    assert.equal(asked.length, 2);
  });
});
