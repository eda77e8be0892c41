import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { queryRows } from '../../lib/query/select.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';

const STRATA = fileURLToPath(new URL('../../bin/strata.ts', import.meta.url));
const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));
const ROWS = 150_000;

let folder: string;
let pipelines: string;
let root: string;
let count = 0;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-interrupt-'));
  pipelines = join(folder, 'pipelines');
  mkdirSync(join(pipelines, 'calls'), { recursive: true });
  writeFileSync(
    join(pipelines, 'calls/pipeline.ts'),
    `import { append, cron, csv, definePipeline } from ${JSON.stringify(DEFINE)};
export default definePipeline({
  name: 'calls',
  schedules: { yearly: cron('0 0 1 1 *', { catchup: 'none' }) },
  sources: { calls: csv({ columns: { id: 'bigint', v: 'string' } }) },
  silver: { calls: { from: 'calls', mode: append({ dedupe: 'row' }) } },
});
`,
  );
});

beforeEach(() => {
  count += 1;
  root = join(folder, `lake-${count}`);
  mkdirSync(join(root, 'bronze/calls/calls'), { recursive: true });
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},value ${i} of ${ROWS} with some more text to it`);
  writeFileSync(join(root, 'bronze/calls/calls/calls.csv'), `id,v\n${lines.join('\n')}\n`);
});

after(() => rmSync(folder, { recursive: true, force: true }));

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} again and again while files are read costs no file`, async () => {
    for (let time = 0; time < 4; time += 1) {
      const run = start('run', 'calls');
      await until(atWork);
      run.child.kill(signal);
      const { code, stderr } = await run.ended;
      assert.equal(code, CODES[signal], stderr);
      assert.match(stderr, new RegExp(`interrupted by ${signal}: nothing is lost`));
      assert.deepEqual(marks(), [], 'no death is noted');
      assert.match(
        readFileSync(join(root, 'ops/calls/lock.json'), 'utf8'),
        /"released":true/,
        'the lock is given back',
      );
      assert.deepEqual(readdirSync(join(root, '.strata-scratch')), []);
    }
    assert.equal((await start('run', 'calls').ended).code, 0);
    assert.deepEqual(await rowCount(), [{ n: ROWS, status: 'ingested' }]);
  });
}

test('kill -9 three times while files are read costs no file', async () => {
  for (let time = 0; time < 3; time += 1) {
    const run = start('run', 'calls');
    await until(() => marks().length > time);
    run.child.kill('SIGKILL');
    await run.ended;
  }
  const last = await start('run', 'calls').ended;
  assert.equal(last.code, 0, last.stderr);
  assert.deepEqual(await rowCount(), [{ n: ROWS, status: 'ingested' }]);
});

test('a second signal ends a run at once, a first one what has nothing to put in order', async () => {
  const run = start('run', 'calls', '--json');
  await until(atWork);
  run.child.kill('SIGINT');
  run.child.kill('SIGINT');
  assert.equal((await run.ended).code, 130);
  assert.equal((await start('run', 'calls').ended).code, 0);
  const query = start('query', 'SELECT sum(a.i * b.i) FROM range(100000) a(i), range(100000) b(i)');
  await sleep(1_000);
  query.child.kill('SIGTERM');
  assert.equal((await query.ended).code, 143);
});

test('schedules that are followed in the foreground are left at the first signal', async () => {
  const following = start('schedule', 'run', 'calls');
  await until(() => following.said().includes('following calls yearly'));
  following.child.kill('SIGINT');
  const { code, stderr } = await following.ended;
  assert.equal(code, 130, stderr);
});

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [STRATA, ...args, '--root', root, '--pipelines', pipelines], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  const ended = new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, stderr })),
  );
  return { child, ended, said: () => stderr };
}

function marks(): readonly string[] {
  return globSync('ops/calls/{_runs/*/level-0/attempts,_deaths}/*', { cwd: root });
}

function atWork(): boolean {
  return marks().length > 0;
}

async function rowCount(): Promise<unknown> {
  const log = { info: () => {}, warn: () => {} };
  const { deps } = await openLocalLake({ root, pipelines, readOnly: true, log });
  const sql = 'SELECT (SELECT count(*) FROM calls_silver.calls) AS n, status FROM calls_ops.files';
  return queryRows(deps, sql);
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, 'waited a minute for it');
    await sleep(20);
  }
}
