import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalSpark } from '../../../../lib/adapters/engines/spark/local.ts';
import { answerRest } from '../../../../lib/adapters/engines/spark/rest-catalog.ts';
import { openSession, parseSpark, type SparkSession } from '../../../../lib/adapters/engines/spark/session.ts';
import { createMemoryStore } from '../../../../lib/adapters/store/memory.ts';
import { CommitConflict, InvalidInput } from '../../../../lib/core/errors.ts';
import type { Progress } from '../../../../lib/core/sql-engine.ts';
import { userSql } from '../../../../lib/sql/user-sql.ts';
import { sampleMetadata } from '../../../ports/sample-metadata.ts';

const KEY = 'ops/shop/_runs/r/engines/1.json';
const SELECT = userSql('INSERT INTO x SELECT 1');
const COMMAND = { python: 'python3', more: '', script: 'statement.py' };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const folder = mkdtempSync(join(tmpdir(), 'strata-spark-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A program in the place of a Python with the script. */
function program(
  name: string,
  text: string,
): { readonly python: string; readonly more: string; readonly script: string } {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, text);
  return { python: process.execPath, more: '--jars a.jar', script };
}

describe('a session of Spark', () => {
  test('is named by a Python and what spark-submit is given', () => {
    assert.deepEqual(parseSpark(' /x/python3  --packages a:b:1 --conf "c=d e" ', 's.py'), {
      python: '/x/python3',
      more: '--packages a:b:1 --conf "c=d e"',
      script: 's.py',
    });
    for (const text of ['', '  ', 'spark-submit --jars x', '/opt/spark/bin/spark-submit'])
      assert.throws(() => parseSpark(text, 's.py'), /STRATA_SPARK: got .* expected a Python that has PySpark/);
  });

  test('does what it is given, says what it said when it ends, and begins with what all have', async () => {
    const said = join(folder, 'said');
    const command = program(
      'works',
      `import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
appendFileSync(${JSON.stringify(said)}, process.env.PYSPARK_SUBMIT_ARGS + '\\n');
console.log('some line'); console.log('ready');
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'die') { console.error('out of memory'); process.exit(3); }
  console.log(line);
});
`,
    );
    const session = await openSession(command, 'http://127.0.0.1:1');
    assert.equal(await session.do('file:///a.json'), undefined);
    assert.match(
      readFileSync(said, 'utf8'),
      /^--jars a\.jar --conf spark\.sql\.session\.timeZone=UTC --conf spark\.sql\.ansi\.enabled=true .*--conf spark\.sql\.catalog\.strata\.uri=http:\/\/127\.0\.0\.1:1 .* pyspark-shell\n$/,
    );
    assert.match((await session.do('die')) ?? '', /it ended with 3: out of memory/);
    assert.match((await session.do('file:///b.json')) ?? '', /it ended with 3/);
  });

  test('that does not begin says why, and what to do', async () => {
    const none = program('none', `console.error("ModuleNotFoundError: No module named 'pyspark'"); process.exit(1);`);
    const java = program('java', `console.error('JAVA_HOME is not set'); process.exit(1);`);
    for (const [command, message] of [
      [
        none,
        /does not start: it ended with 1: .*No module named 'pyspark'\. STRATA_SPARK has to begin with a Python that has PySpark/,
      ],
      [java, /JAVA_HOME is not set\. Spark needs a Java: set JAVA_HOME/],
      [{ ...none, python: join(folder, 'nobody') }, /ENOENT\. STRATA_SPARK has to begin with a Python/],
      [program('other', 'process.exit(9);'), /it ended with 9: \. See what STRATA_SPARK gives it/],
    ] as const)
      await assert.rejects(
        openSession(command, ''),
        (thrown) => thrown instanceof InvalidInput && message.test(thrown.message),
      );
  });
});

/** An engine over a session that ends statements when it is told to, with how many were begun. */
function open(does: (uri: string) => Promise<string | undefined>) {
  const store = createMemoryStore();
  const begun: string[] = [];
  let [opened, ended] = [0, 0];
  const session: SparkSession = {
    do(uri) {
      begun.push(uri);
      return does(uri);
    },
    end() {
      ended += 1;
    },
  };
  const openOne = async (): Promise<SparkSession> => {
    opened += 1;
    return session;
  };
  const make = () => createLocalSpark({ command: COMMAND, store, commit: () => '', open: openOne });
  return { store, begun, make, counts: () => ({ opened, ended }) };
}

describe('a Spark of this machine', () => {
  test('is asked once for a statement, and says how it ended, to another process too', async () => {
    const { store, begun, make, counts } = open(() => new Promise(() => {}));
    const engine = make();
    assert.deepEqual([engine.title, engine.dialect, engine.place], ['Spark (python3)', 'spark', ['strata', 'shown']]);
    assert.equal(await engine.start(SELECT, 'token', KEY), KEY);
    assert.equal(await engine.start(SELECT, 'token', KEY), KEY);
    assert.deepEqual(begun, [store.location(KEY)]);
    assert.deepEqual(JSON.parse(new TextDecoder().decode((await store.read(KEY)).bytes)), { sql: SELECT });
    assert.deepEqual(await engine.look(KEY), { kind: 'working' });
    assert.deepEqual(await make().look(KEY), { kind: 'failed', reason: 'the process that had it done has ended' });
    await make().cancel(KEY);
    assert.equal(counts().ended, 0, 'only who has begun it ends its session');
    await engine.cancel(KEY);
    assert.equal(counts().ended, 1);
    await store.write(`${KEY}.ended`, bytes('{"errors":[]}'), { kind: 'any' });
    assert.deepEqual(await engine.look(KEY), { kind: 'done' });
    const other = make();
    assert.equal(await other.start(SELECT, 'token', KEY), KEY);
    assert.deepEqual(await other.look(KEY), { kind: 'done' });
    await engine.cancel(KEY);
    assert.deepEqual([begun.length, counts()], [1, { opened: 1, ended: 1 }]);
  });

  test('begins anew where its session has ended, or did not open', async () => {
    const { make, counts } = open(async () => 'it ended with SIGKILL: ');
    const engine = make();
    const looked = async (key: string): Promise<Progress> => {
      await engine.start(SELECT, 'token', key);
      await sleep(0);
      return engine.look(key);
    };
    const failed = { kind: 'failed', reason: 'it ended with SIGKILL: ' };
    assert.deepEqual([await looked(KEY), await looked(`${KEY}2`)], [failed, failed]);
    assert.equal(counts().opened, 2);
    let tries = 0;
    const store = createMemoryStore();
    const never = createLocalSpark({
      command: COMMAND,
      store,
      commit: () => '',
      open() {
        tries += 1;
        throw new InvalidInput('no Spark');
      },
    });
    for (const _ of [1, 2]) await assert.rejects(never.start(SELECT, 'token', KEY), /no Spark/);
    assert.equal(tries, 2);
  });

  test('is shown tables, which are as the store has them, until they are hidden', async () => {
    const { store, make } = open(async () => undefined);
    const engine = make();
    const metadata = sampleMetadata(store.location('gold/shop/x/staged/r/1'));
    const metadataLocation = `${metadata.location}/metadata/00000-a.metadata.json`;
    for (const name of [
      '00000-a.metadata.json',
      '00002-spark.metadata.json',
      '00001-spark.metadata.json',
      'v9.metadata.json',
    ])
      await store.write(`gold/shop/x/staged/r/1/metadata/${name}`, bytes('{}'), { kind: 'any' });
    await engine.show({ name: 'x__strata_1_out', metadata, metadataLocation });
    assert.equal(await engine.shown('x__strata_1_out'), `${metadata.location}/metadata/00002-spark.metadata.json`);
    assert.deepEqual([await engine.names('x__'), await engine.names('y__')], [['x__strata_1_out'], []]);
    await engine.hide(['x__strata_1_out', 'never']);
    assert.equal(await engine.shown('x__strata_1_out'), undefined);
  });
});

describe('the catalog of a Spark of this machine', () => {
  const PATH = '/v1/namespaces/shown/tables/t';

  test('has the tables that are shown, and takes a commit once', async () => {
    const store = createMemoryStore();
    await store.write('gold/t/metadata/00000-a.metadata.json', bytes('{"n":0}'), { kind: 'any' });
    const known = new Map([['t', 'gold/t/']]);
    const commit = (metadata: Uint8Array, request: string, location: string): string => {
      if (request === 'late') throw new CommitConflict('gone on');
      if (request === 'other') throw new InvalidInput('not that');
      if (request === 'broken') throw new Error('broken');
      return JSON.stringify({ was: JSON.parse(new TextDecoder().decode(metadata)), request, location });
    };
    const ask = (method: string, path: string, body = '') => answerRest({ store, known, commit }, method, path, body);
    const at = (n: string): string => store.location(`gold/t/metadata/${n}.metadata.json`);
    assert.deepEqual(await ask('GET', '/v1/config'), { status: 200, body: '{"defaults":{},"overrides":{}}' });
    assert.deepEqual(await ask('HEAD', PATH), { status: 204, body: '' });
    const loaded = `{"metadata-location":"${at('00000-a')}","metadata":{"n":0}}`;
    assert.deepEqual(await ask('GET', PATH), { status: 200, body: loaded });
    const { status, body } = await ask('POST', PATH, 'one');
    assert.deepEqual(
      [status, JSON.parse(body)],
      [
        200,
        {
          'metadata-location': at('00001-spark'),
          metadata: { was: { n: 0 }, request: 'one', location: at('00000-a') },
        },
      ],
    );
    const refusals = [
      ['POST', PATH, 'late', 409, 'CommitFailedException', 'gone on'],
      ['POST', PATH, 'other', 400, 'ValidationException', 'not that'],
      ['DELETE', PATH, '', 405, 'UnsupportedOperationException', 'DELETE is none of a table'],
      ['GET', '/v1/namespaces/shown/tables/u', '', 404, 'NoSuchTableException', 'there is no /v1'],
      ['GET', '/v1/namespaces/other/tables/t', '', 404, 'NoSuchTableException', 'there is no /v1'],
    ] as const;
    for (const [method, path, request, code, type, message] of refusals) {
      const answer = await ask(method, path, request);
      const { error } = JSON.parse(answer.body);
      assert.deepEqual([answer.status, error.code, error.type], [code, code, type]);
      assert.match(error.message, new RegExp(`^${message}`));
    }
    await assert.rejects(ask('POST', PATH, 'broken'), /broken/);
    const racing = { ...store, write: async () => ({ kind: 'conflict' }) as const };
    const second = await answerRest({ store: racing, known, commit }, 'POST', PATH, 'two');
    assert.deepEqual([second.status, JSON.parse(second.body).error.type], [409, 'CommitFailedException']);
  });
});
