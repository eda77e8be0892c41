import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../lib/core/errors.ts';
import { NotAlone } from '../../lib/core/turns.ts';
import type { Engine, Session, SessionOptions } from '../../lib/ports.ts';
import { besideOthers } from '../../lib/runtime/beside-others.ts';
import { attachPipeline } from '../../lib/sql/other-pipelines.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const OPTIONS: SessionOptions = { memoryBytes: 1, threads: 1, scratch: '/nowhere' };
const STATEMENT = { name: 'q', text: userSql('SELECT 1') };

function failing(cause: Error, opens = true): { readonly engine: Engine; readonly done: string[] } {
  const done: string[] = [];
  const fail = async (): Promise<never> => {
    throw cause;
  };
  const session: Session = {
    ...{ run: fail, rows: fail, describe: fail, copy: fail, parse: fail },
    interrupt: () => void done.push('interrupted'),
    [Symbol.asyncDispose]: async () => void done.push('closed'),
  };
  return { engine: { open: async () => (opens ? session : fail()) }, done };
}

const ASKS: Readonly<Record<string, (session: Session) => Promise<unknown>>> = {
  run: (session) => session.run(STATEMENT),
  rows: (session) => session.rows(STATEMENT),
  describe: (session) => session.describe(STATEMENT),
  copy: (session) => session.copy(STATEMENT),
  parse: (session) => session.parse(STATEMENT.text),
};

for (const [name, ask] of Object.entries(ASKS)) {
  test(`${name}: an error of the engine says nothing beside others, and what it says alone`, async () => {
    const cause = new EngineError('q: Out of Memory');
    const { engine } = failing(cause);
    let alone = false;
    const session = await besideOthers(engine, { atOnce: 2, alone: () => alone, take: (act) => act() }).open(OPTIONS);
    await assert.rejects(ask(session), (thrown: unknown) => {
      assert.ok(thrown instanceof NotAlone && !(thrown instanceof EngineError));
      assert.deepEqual([thrown.message, thrown.cause], [cause.message, cause]);
      return true;
    });
    alone = true;
    await assert.rejects(ask(session), cause);
  });
}

test('what is no error of the engine is what it is, and sessions end as before', async () => {
  const cause = new Error('interrupted');
  const { engine, done } = failing(cause);
  const beside = besideOthers(engine, { atOnce: 2, alone: () => false, take: (act) => act() });
  const session = await beside.open(OPTIONS);
  await assert.rejects(session.run(STATEMENT), cause);
  session.interrupt();
  await session[Symbol.asyncDispose]();
  assert.deepEqual(done, ['interrupted', 'closed']);
  const shut = failing(new EngineError('no memory'), false);
  await assert.rejects(
    besideOthers(shut.engine, { atOnce: 2, alone: () => false, take: (act) => act() }).open(OPTIONS),
    NotAlone,
  );
});

test('what would be there for others, too, is not made before it is alone', async () => {
  const made: string[] = [];
  const { engine } = failing(new EngineError('q'));
  const opened = await engine.open(OPTIONS);
  const session: Session = { ...opened, run: async ({ name }) => void made.push(name) };
  let alone = false;
  const turns = { atOnce: 2, alone: () => alone, take: <T>(act: () => Promise<T>) => act() };
  const beside = await besideOthers({ open: async () => session }, turns).open(OPTIONS);
  const [attach] = attachPipeline('shop', 'gold');
  assert.ok(attach);
  await assert.rejects(beside.run(attach), NotAlone);
  await beside.run(STATEMENT);
  alone = true;
  await beside.run(attach);
  assert.deepEqual(made, ['q', 'attach shop']);
});
