import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { queryRows } from '../../lib/query/select.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';

const STRATA = fileURLToPath(new URL('../../bin/strata.ts', import.meta.url));
const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));
const NAMES = ['north', 'east', 'south', 'west'];
const ROWS = 120_000;
/** So little that each run spills several times what it may hold. */
const MEMORY = '90MB';
const CONTENT = 'SELECT count(*) AS rows, count(DISTINCT id) AS keys, bit_xor(hash(id, v, w)) AS content FROM ';

let folder: string;
let expected: Contents;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strata-spill-'));
  for (const [n, name] of NAMES.entries()) {
    mkdirSync(join(folder, 'pipelines', name), { recursive: true });
    writeFileSync(join(folder, 'pipelines', name, 'pipeline.ts'), pipelineOf(name));
    const bronze = join(folder, 'landed/bronze', name, 'events');
    mkdirSync(bronze, { recursive: true });
    writeFileSync(join(bronze, 'events.csv'), eventsOf(n));
  }
  const root = lakeNamed('one-by-one');
  for (const name of NAMES) assert.equal((await ended(run(root, name))).code, 0, name);
  expected = await contents(root);
});

after(() => rmSync(folder, { recursive: true, force: true }));

for (const processes of [2, 4]) {
  test(`${processes} processes that spill at once have the tables of runs one after the other`, async () => {
    const root = lakeNamed(`at-once-${processes}`);
    const names = NAMES.slice(0, processes);
    const ends = await Promise.all(names.map((name) => ended(run(root, name))));
    assert.deepEqual(
      ends.map(({ code, signal }) => ({ code, signal })),
      names.map(() => ({ code: 0, signal: null })),
      ends.map((end) => end.stderr).join('\n'),
    );
    const found = await contents(root);
    for (const name of names) assert.deepEqual(found[name], expected[name], name);
    assert.deepEqual(readdirSync(join(root, '.strata-scratch')), []);
  });
}

test('the next run removes what a killed one has spilled', async () => {
  const root = lakeNamed('killed');
  const scratch = join(root, '.strata-scratch');
  const killed = run(root, 'north');
  await until(() => spilled(scratch).length > 0);
  killed.kill('SIGKILL');
  await ended(killed);
  assert.ok(spilled(scratch).length > 0);
  const last = await ended(run(root, 'north'));
  assert.equal(last.code, 0, last.stderr);
  assert.deepEqual(readdirSync(scratch), []);
  assert.deepEqual((await contents(root))['north'], expected['north']);
});

type Contents = Readonly<Record<string, unknown>>;

/** Duplicates by key, so that all of a file has to be held, and a wide text, so that it does not fit. */
function pipelineOf(name: string): string {
  return `import { append, csv, definePipeline } from ${JSON.stringify(DEFINE)};
export default definePipeline({
  name: '${name}',
  sources: { events: csv({ columns: { id: 'bigint', v: 'string', w: 'double' } }) },
  silver: { kept: { from: 'events', mode: append({ dedupe: { key: 'id' } }) } },
});
`;
}

function eventsOf(seed: number): string {
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const x = Math.imul(i + seed * ROWS, 2_654_435_761) >>> 0;
    return `${x % (ROWS * 0.8)},${name(x)}-${name(x ^ 0x5bd1e995)}-${i}-${seed},${x / 1000}`;
  });
  return `id,v,w\n${lines.join('\n')}\n`;
}

function name(x: number): string {
  return (Math.imul(x, 0x9e3779b1) >>> 0).toString(36).padStart(8, 'x').repeat(16);
}

function lakeNamed(lake: string): string {
  const root = join(folder, lake);
  cpSync(join(folder, 'landed'), root, { recursive: true });
  return root;
}

function run(root: string, pipeline: string): ChildProcess {
  const args = ['run', pipeline, '--root', root, '--pipelines', join(folder, 'pipelines'), '--memory', MEMORY];
  return spawn(process.execPath, [STRATA, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}

type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string };

function ended(child: ChildProcess): Promise<End> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, stderr })));
}

async function contents(root: string): Promise<Contents> {
  const log = { info: () => {}, warn: () => {} };
  const lake = await openLocalLake({ root, pipelines: join(folder, 'pipelines'), readOnly: true, log });
  const found: Record<string, unknown> = {};
  for (const pipeline of NAMES) {
    if (existsSync(join(root, 'silver', pipeline)))
      found[pipeline] = await queryRows(lake.deps, `${CONTENT}${pipeline}_silver.kept`);
  }
  return found;
}

/** Files that sessions have spilled, by their path below the scratch folder. */
function spilled(scratch: string): readonly string[] {
  if (!existsSync(scratch)) return [];
  const paths = readdirSync(scratch, { recursive: true }).map(String);
  return paths.filter((path) => path.includes('duckdb_temp_storage'));
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, 'waited a minute for it');
    await sleep(5);
  }
}
