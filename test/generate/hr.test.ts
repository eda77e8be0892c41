import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateHr, parseHrOptions } from '../../lib/generate/hr.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-generate-hr-'));
});
after(() => rm(root, { recursive: true }));

async function generate(name: string, changes: object, threads = 2) {
  const out = join(root, name);
  const session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads, scratch: root });
  await using _ = session;
  const options = parseHrOptions({ out, employees: '3000', years: '2024', messages: '2001', ...changes });
  const files = await generateHr(options, session);
  const named = files.map(async ({ table, path, rows }) => ({
    table,
    name: path.slice(out.length + 1),
    rows,
    text: await readFile(path, 'utf8'),
  }));
  return Promise.all(named);
}

type Files = Awaited<ReturnType<typeof generate>>;
const lines = (files: Files, table: string): string[] =>
  files.filter((file) => file.table === table).flatMap(({ text }) => text.trim().split('\n').slice(1));

test('equal options give equal bytes with one thread and with four, another seed others', async () => {
  const one = await generate('one', {}, 1);
  assert.deepEqual(await generate('four', {}, 4), one);
  const other = await generate('seed', { seed: 7 });
  const same = other.filter(({ text }, at) => text === one[at]?.text).map(({ table }) => table);
  assert.deepEqual(same, ['employee_leave_calendar']);
});

test('the files have the faults that are looked for, about as many as are declared', async () => {
  const files = await generate('faults', {});
  for (const { table, name, rows, text } of files) {
    assert.equal(text.trim().split('\n').length - (name.endsWith('.csv') ? 1 : 0), rows, `${table}: ${name}`);
  }
  const ids = lines(files, 'employee_data').map((line) => line.split(',')[2] ?? '');
  assert.deepEqual([ids.length, new Set(ids).size], [3_003, 3_000]);
  assert.ok(ids.filter((id) => Number(id) > 2 ** 31).length > 2_500);
  const known = new Set(ids);
  const quotas = lines(files, 'employee_leave_quota').map((line) => line.split(','));
  assert.equal(quotas.length, 3_006);
  assert.ok(quotas.every(([id, quota, year]) => known.has(id ?? '') && Number(quota) >= 19 && year === '2024'));
  assert.ok(lines(files, 'employee_leave_calendar').includes('Founders Day,2024-7-28'));

  const leave = lines(files, 'employee_leave_data').map((line) => line.split(','));
  const share = (count: number): number => count / leave.length;
  assert.ok(Math.abs(share(leave.filter(([, , status]) => status === 'CANCELLED').length) - 0.02) < 0.005);
  assert.ok(leave.some(([, , status]) => status === 'active'));
  assert.ok(leave.some(([id]) => id === '7'));
  assert.ok(leave.some(([, date]) => new Date(date ?? '').getUTCDay() === 0));
});

test('messages are records of four partitions, without a gap', async () => {
  const files = (await generate('messages', {})).filter(({ table }) => table === 'messages');
  assert.deepEqual(
    files.map(({ name, rows }) => [name, rows]),
    [0, 1, 2, 3].map((partition) => {
      const rows = partition === 0 ? 501 : 500;
      return [`messages/employee_messages-${partition}-0-${rows - 1}.jsonl`, rows];
    }),
  );
  type Record = { partition: number; offset: number; timestamp_ms: number; value: string | null };
  for (const [partition, { text }] of files.entries()) {
    const records = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record);
    assert.deepEqual(
      records.map(({ partition: own, offset }) => [own, offset]),
      records.map((_, offset) => [partition, offset]),
    );
    const times = records.map(({ timestamp_ms }) => new Date(timestamp_ms).getUTCFullYear());
    assert.deepEqual([...new Set(times)], [2024]);
  }
});

test('options that make no sample are refused together', () => {
  assert.throws(
    () => parseHrOptions({ out: 'x', employees: '0', years: '2023;2024' }),
    (error) =>
      error instanceof InvalidInput &&
      ['employees: got "0"', 'years: got "2023;2024"'].every((part) => error.message.includes(part)),
  );
});
