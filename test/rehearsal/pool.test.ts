import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LambdaAnswer } from './environment.ts';
import type { LambdaFunction } from './function.ts';
import { createPool, type Pool } from './pool.ts';

const CODE = `
import { writeFileSync } from 'node:fs';
let calls = 0;
let ticks = 0;
setInterval(() => (ticks += 1), 5);
class AuditFailed extends Error { name = 'AuditFailed'; }
export const handler = async (event, context) => {
  calls += 1;
  if (event.fail) throw new AuditFailed('one row too many');
  if (event.exit) process.exit(3);
  if (event.reject) { Promise.reject(new Error('nobody waits')); await new Promise(() => {}); }
  if (event.hang) await new Promise(() => {});
  if (event.grow) { globalThis.held = Buffer.alloc(400 * 2 ** 20, 1); await new Promise(() => {}); }
  if (event.variable) process.env.LEFT = event.variable;
  if (event.file) writeFileSync(process.env.TMPDIR + '/left', 'x'.repeat(event.file));
  if (event.full) await new Promise(() => {});
  return {
    ticks, calls, event, environment: process.env, argv: process.argv.length,
    left: context.getRemainingTimeInMillis() > 0, name: context.functionName,
  };
};
export const number = 1;
`;

type Answer = {
  ticks: number;
  calls: number;
  event: unknown;
  environment: Record<string, string>;
  left: boolean;
  name: string;
};

describe('the imitated Lambda', () => {
  let folder = '';
  let pool: Pool;
  const functions = new Map<string, LambdaFunction>();
  const toy = (changes: Partial<LambdaFunction> = {}): LambdaFunction => {
    const name = `toy-${functions.size}`;
    const made: LambdaFunction = {
      name,
      handler: 'toy.handler',
      taskRoot: join(folder, 'code'),
      variables: { STRATA_PIPELINE: 'hr' },
      timeoutSeconds: 30,
      memoryMb: 512,
      tmpMb: 1,
      reservedConcurrency: null,
      ...changes,
    };
    functions.set(name, made);
    return made;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strata-pool-'));
    await mkdir(join(folder, 'code'));
    await writeFile(join(folder, 'code', 'toy.mjs'), CODE);
    await writeFile(join(folder, 'code', 'broken.mjs'), 'throw new TypeError("not today");');
    pool = createPool({ folder, account: (id) => ({ AWS_ACCESS_KEY_ID: id }) });
  });
  after(async () => {
    await pool.close();
    await rm(folder, { recursive: true });
  });

  it('answers with JSON, one environment for one call after the other', async () => {
    const fn = toy();
    assert.equal(parse(await pool.invoke(fn, { a: 1 })).calls, 1);
    const second = parse(await pool.invoke(fn, { a: 2 }));
    assert.equal(second.calls, 2);
    assert.deepEqual(second.event, { a: 2 });
    assert.ok(second.left);
    assert.equal(second.name, fn.name);
    assert.equal(pool.usage(fn.name).environments, 1);
  });

  it('gives the environment of the template and of Lambda, and nothing of this machine', async () => {
    process.env['OF_THIS_MACHINE'] = 'secret';
    const fn = toy();
    const { environment } = parse(await pool.invoke(fn, {}));
    delete process.env['OF_THIS_MACHINE'];
    assert.equal(environment['STRATA_PIPELINE'], 'hr');
    assert.equal(environment['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'], '512');
    assert.equal(environment['AWS_ACCESS_KEY_ID'], `${fn.name}.1`);
    assert.match(environment['TMPDIR'] ?? '', new RegExp(`^${folder}/tmp/`));
    assert.equal(environment['OF_THIS_MACHINE'], undefined);
    assert.equal(environment['HOME'], undefined);
  });

  it('starts a fresh environment for a call at the same time, and for a function that was deployed anew', async () => {
    const fn = toy();
    const both = await Promise.all([pool.invoke(fn, {}), pool.invoke(fn, {})]);
    assert.deepEqual(
      both.map((one) => parse(one).calls),
      [1, 1],
    );
    assert.equal(parse(await pool.invoke({ ...fn }, {})).calls, 1);
    assert.deepEqual([pool.usage(fn.name).calls, pool.usage(fn.name).environments], [3, 3]);
  });

  const failures: readonly (readonly [string, Partial<LambdaFunction>, object, string, RegExp])[] = [
    ['what the handler throws', {}, { fail: true }, 'AuditFailed', /^one row too many$/],
    ['a process that ends', {}, { exit: true }, 'Runtime.ExitError', /exit status 3/],
    ['a rejection that nobody waits for', {}, { reject: true }, 'Runtime.UnhandledPromiseRejection', /nobody waits/],
    ['a call beyond its timeout', { timeoutSeconds: 0.3 }, { hang: true }, 'Sandbox.Timedout', /after 0.30 seconds/],
    ['more files than fit into /tmp', {}, { file: 2_000_000, full: true }, 'Runtime.ExitError', /\/tmp is full: 1 MB/],
    ['more memory than the function has', { memoryMb: 300 }, { grow: true }, 'Runtime.OutOfMemory', /of 300 MB/],
    ['code that cannot be loaded', { handler: 'broken.handler' }, {}, 'TypeError', /not today/],
    ['a file that is not there', { handler: 'nothing.handler' }, {}, 'Runtime.ImportModuleError', /nothing\.handler/],
    ['an export that is no function', { handler: 'toy.number' }, {}, 'Runtime.HandlerNotFound', /toy\.number/],
  ];
  for (const [name, changes, event, errorType, says] of failures) {
    it(`reports ${name} as ${errorType}`, async () => {
      const answer = await pool.invoke(toy(changes), event);
      assert.equal(answer.kind, 'error');
      assert.equal(answer.kind === 'error' && answer.error.errorType, errorType);
      assert.match(answer.kind === 'error' ? answer.error.errorMessage : '', says);
    });
  }

  it('uses an environment again after an error of the handler, and never after it was killed', async () => {
    const fn = toy({ timeoutSeconds: 0.3 });
    await pool.invoke(fn, { fail: true });
    assert.equal(parse(await pool.invoke(fn, {})).calls, 2);
    await pool.invoke(fn, { hang: true });
    assert.equal(parse(await pool.invoke(fn, {})).calls, 1);
    assert.deepEqual(pool.usage(fn.name).errors, ['AuditFailed', 'Sandbox.Timedout']);
  });

  it('kills an environment on request', async () => {
    const fn = toy();
    await pool.invoke(fn, {});
    const hanging = pool.invoke(fn, { hang: true });
    pool.kill(`${fn.name}.1`);
    const answer = await hanging;
    assert.match(answer.kind === 'error' ? answer.error.errorMessage : '', /signal: SIGKILL/);
    assert.equal(answer.kind === 'error' && answer.error.errorType, 'Runtime.ExitError');
  });

  it('turns away more calls than are set aside for a function', async () => {
    const fn = toy({ reservedConcurrency: 1 });
    const [first, second] = await Promise.all([pool.invoke(fn, {}), pool.invoke(fn, {})]);
    assert.equal(first.kind, 'answer');
    assert.equal(second.kind === 'error' && second.error.errorType, 'Lambda.TooManyRequestsException');
  });

  it('turns away more calls than the account has at once, whatever they call', async () => {
    const one = createPool({ folder, account: () => ({}), concurrency: 1 });
    const [fn, other] = [toy(), toy()];
    const [first, second] = await Promise.all([one.invoke(fn, {}), one.invoke(other, {})]);
    assert.equal(first.kind, 'answer');
    assert.match(second.kind === 'error' ? second.error.errorMessage : '', /the account has 1 calls at once/);
    assert.deepEqual([one.usage(fn.name).throttled, one.usage(other.name).throttled], [0, 1]);
    assert.equal((await one.invoke(other, {})).kind, 'answer');
    await one.close();
  });

  it('freezes an environment between two calls, and tells what these leave in it', async () => {
    const fn = toy();
    const before = parse(await pool.invoke(fn, { variable: 'a', file: 3 }));
    await new Promise((waited) => setTimeout(waited, 300));
    const after = parse(await pool.invoke(fn, {}));
    assert.ok(after.ticks - before.ticks < 30, `${after.ticks - before.ticks} ticks`);
    assert.deepEqual([...pool.usage(fn.name).left].sort(), ['LEFT', 'left']);
    assert.deepEqual(pool.usage(fn.name).environments, 1);
  });
});

function parse(answer: LambdaAnswer): Answer {
  assert.equal(answer.kind, 'answer', JSON.stringify(answer));
  return JSON.parse(answer.kind === 'answer' ? answer.payload : '') as Answer;
}
