import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTrinoEngine, parseTrino } from '../../../lib/adapters/engines/trino.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import type { TableMetadata } from '../../../lib/iceberg/types.ts';
import { userSql } from '../../../lib/sql/user-sql.ts';

type Answer = { readonly status?: number; readonly body?: unknown };
type Asked = {
  readonly path: string;
  readonly method: string;
  readonly text: string;
  readonly source: string | undefined;
};

/** A Trino that answers statements by their beginnings, and looks by their ids. */
function trinoThat(answers: (asked: Asked) => Answer | Error) {
  const asked: Asked[] = [];
  const fake: typeof fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    const one = {
      path: new URL(String(url)).pathname,
      method: init?.method ?? 'GET',
      text: String(init?.body ?? ''),
      source: headers.get('X-Trino-Source') ?? undefined,
    };
    asked.push(one);
    const answer = answers(one);
    if (answer instanceof Error) throw answer;
    return new Response(JSON.stringify(answer.body ?? { id: 'q' }), { status: answer.status ?? 200 });
  };
  return {
    asked,
    engine: createTrinoEngine({ address: 'http://127.0.0.1:1', catalog: 'lake', schema: 'own', fetch: fake }),
  };
}

const rows = (...data: readonly (readonly unknown[])[]): Answer => ({ body: { id: 'q', data } });
const METADATA = { location: 's3://gold/x' } as TableMetadata;
const KEY = 'ops/shop/_runs/r/1.json';
const SELECT = userSql('INSERT INTO x SELECT 1');

describe('a Trino', () => {
  test('is named by its address, catalog and schema', () => {
    assert.deepEqual(parseTrino('http://127.0.0.1:8080/iceberg/strata'), {
      address: 'http://127.0.0.1:8080',
      catalog: 'iceberg',
      schema: 'strata',
    });
    for (const text of ['', 'trino', 'http://h:1/iceberg', 'ftp://h/a/b', 'http://h/a/b/c'])
      assert.throws(
        () => parseTrino(text),
        /STRATA_TRINO: got .* expected http:\/\/<host>:<port>\/<catalog>\/<schema>/,
      );
  });

  test('is shown a table once, by its metadata file', async () => {
    let known = false;
    const { asked, engine } = trinoThat(({ text }) => {
      if (text.startsWith('CALL')) known = true;
      return text.startsWith('SELECT') && known ? rows(['t']) : rows();
    });
    const table = { name: 't', metadata: METADATA, metadataLocation: 's3://gold/x/metadata/00000-a.metadata.json' };
    await engine.show(table);
    await engine.show(table);
    const calls = asked.map(({ text }) => text).filter((text) => !text.startsWith('SELECT'));
    assert.deepEqual(calls, [
      'CREATE SCHEMA IF NOT EXISTS "lake"."own"',
      `CALL "lake".system.register_table(schema_name => 'own', table_name => 't', table_location => 's3://gold/x', metadata_file_name => '00000-a.metadata.json')`,
    ]);
    await engine.hide(['t']);
    assert.equal(asked.at(-1)?.text, `CALL "lake".system.unregister_table(schema_name => 'own', table_name => 't')`);
  });

  test('says where the metadata of a table is, page by page', async () => {
    const { engine } = trinoThat(({ path, text }) => {
      if (path === '/next') return rows(['s3://b'], ['s3://c']);
      if (text.includes('metadata_log_entries'))
        return { body: { id: 'q', nextUri: 'http://127.0.0.1:1/next', data: [['s3://a']] } };
      return rows(['t']);
    });
    assert.equal(await engine.shown('t'), 's3://c');
    assert.equal(await engine.shown('other'), undefined);
  });

  test('begins a statement once for its token, and follows it to its end', async () => {
    const { asked, engine } = trinoThat(({ path, text }) => {
      if (path === '/end') return { body: { id: 'q1' } };
      if (text.startsWith('INSERT')) return { body: { id: 'q1', nextUri: 'http://127.0.0.1:1/end' } };
      return rows();
    });
    const id = await engine.start(SELECT, 'token', KEY);
    assert.equal(asked.find(({ text }) => text.startsWith('INSERT'))?.source, 'token');
    while ((await engine.look(id)).kind === 'working') await new Promise(setImmediate);
    assert.deepEqual(await engine.look(id), { kind: 'done' });
    assert.deepEqual(
      asked.map(({ path }) => path).filter((path) => path.startsWith('/v1/query')),
      [],
    );
  });

  test('is asked for a statement that another process has begun', async () => {
    const states: readonly (readonly [Answer, unknown])[] = [
      [{ body: { state: 'RUNNING' } }, { kind: 'working' }],
      [{ body: { state: 'FINISHED' } }, { kind: 'done' }],
      [
        {
          body: {
            state: 'FAILED',
            errorCode: { name: 'COLUMN_NOT_FOUND', type: 'USER_ERROR' },
            failureInfo: { message: 'no c' },
          },
        },
        { kind: 'refused', reason: 'no c' },
      ],
      [
        { body: { state: 'FAILED', errorCode: { name: 'USER_CANCELED', type: 'USER_ERROR' } } },
        { kind: 'failed', reason: 'no reason' },
      ],
      [
        { body: { state: 'FAILED', errorCode: { name: 'ADMINISTRATIVELY_KILLED', type: 'USER_ERROR' } } },
        { kind: 'failed', reason: 'no reason' },
      ],
      [
        {
          body: { state: 'FAILED', errorCode: { type: 'INSUFFICIENT_RESOURCES' }, failureInfo: { message: 'memory' } },
        },
        { kind: 'failed', reason: 'memory' },
      ],
      [{ status: 410 }, { kind: 'failed', reason: 'it no longer knows q9' }],
    ];
    for (const [answer, expected] of states) {
      const { engine } = trinoThat(({ path }) => (path === '/v1/query/q9' ? answer : rows(['q9'])));
      const id = await engine.start(SELECT, 'token', KEY);
      assert.equal(id, 'q9');
      assert.deepEqual(await engine.look(id), expected);
    }
  });

  test('says what went wrong', async () => {
    const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
    const cases: readonly (readonly [Answer | Error, typeof InvalidInput | typeof Unavailable, RegExp])[] = [
      [
        refused,
        InvalidInput,
        /Trino \(http:\/\/127.0.0.1:1\): nobody answers there; start it, or let STRATA_TRINO name another/,
      ],
      [new TypeError('reset'), Unavailable, /is not reached: TypeError: reset/],
      [{ status: 503 }, Unavailable, /is not there for now: it answers 503/],
      [{ status: 401, body: 'who?' }, InvalidInput, /got status 401 for a statement: "who\?"/],
      [
        { body: { id: 'q', error: { message: 'register_table procedure is disabled' } } },
        InvalidInput,
        /iceberg.register-table-procedure.enabled=true/,
      ],
    ];
    for (const [answer, kind, message] of cases) {
      const { engine } = trinoThat(() => answer);
      await assert.rejects(engine.names('x'), (thrown) => thrown instanceof kind && message.test(String(thrown)));
    }
    const failing = trinoThat(({ path, text }) => {
      if (path === '/end') return new TypeError('reset');
      return text.startsWith('INSERT') ? { body: { id: 'q1', nextUri: 'http://127.0.0.1:1/end' } } : rows();
    });
    const id = await failing.engine.start(SELECT, 'token', KEY);
    while ((await failing.engine.look(id)).kind === 'working') await new Promise(setImmediate);
    assert.equal((await failing.engine.look(id)).kind, 'failed');
    await failing.engine.cancel(id);
    assert.deepEqual(failing.asked.at(-1), { path: '/v1/query/q1', method: 'DELETE', text: '', source: undefined });
  });
});
