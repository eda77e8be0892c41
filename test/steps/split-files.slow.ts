import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, json, replace, scd2, truncate, upsert } from '../../lib/define/index.ts';
import { assertSameCut, pipelineOf, shop } from './split-files.ts';

const COLUMNS = { id: 'bigint', name: 'string', amount: 'decimal(12,2)' } as const;

test('a CSV file that is larger than a unit leaves what it leaves when it is read whole, in every mode', async () => {
  const models = {
    appended: { mode: append() },
    distinct: { mode: append({ dedupe: { key: 'id' } }) },
    hashed: { mode: append({ dedupe: 'row' }) },
    current: { mode: upsert({ key: 'id', sequence: 'amount' }) },
    history: { mode: scd2({ key: 'id', sequence: 'amount' }) },
    replaced: { mode: replace(), partitionBy: [truncate(1000, 'id')] },
  };
  const pipeline = pipelineOf(csv({ columns: COLUMNS }), models);
  const first = { 'a.csv': shop(9000), 'b.csv': shop(100, 50) };
  const { units, tables } = await assertSameCut(pipeline, [first, { 'c.csv': shop(6000, 5000) }], Object.keys(models));
  assert.ok(units > 6 * 8, `${units} units`);
  assert.ok((tables['quarantine'] ?? []).length > 20);
});

const header = (text: string): string => text.slice(text.indexOf('\n') + 1);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const ndjson = (records: number): string =>
  Array.from({ length: records }, (_, i) =>
    i % 900 === 450 ? '{"id":' : i % 1000 === 7 ? '' : JSON.stringify({ id: i, name: `é漢 ${i}`, amount: `${i}.5` }),
  ).join('\n');

const CASES = {
  'a byte order mark, CRLF': [csv({ columns: COLUMNS }), `\uFEFF${shop(5000).replaceAll(/\r?\n/g, '\r\n')}`],
  'CR alone, and a quote that is never closed': [
    csv({ columns: COLUMNS }),
    `${shop(5000).replaceAll(/\r?\n/g, '\r')}7,"open\r8,x`,
  ],
  'no header': [csv({ columns: COLUMNS, header: false }), header(shop(5000))],
  'no header, records that look like something else': [
    csv({ columns: { id: 'string', name: 'string' }, header: false }),
    Array.from({ length: 9000 }, (_, i) => `${i % 2 === 0 ? 'BZh' : '\uFEFFx'}${i},name of ${i}`).join('\n'),
  ],
  'a header of two lines': [
    csv({ columns: { ...COLUMNS, 'a\nb': 'string' }, drift: 'ignore' }),
    `"a\nb",id,name,amount\n${header(shop(5000)).replaceAll(/^/gm, 'x,')}`,
  ],
  'latin-1, and a delimiter that is no ASCII': [
    csv({ columns: COLUMNS, encoding: 'latin-1', delimiter: '§' }),
    latin1(shop(5000).replaceAll(',', '§')),
  ],
  'one column, whose blank lines are rows': [
    csv({ columns: { id: 'string' } }),
    `id\n${Array.from({ length: 30000 }, (_, i) => (i % 700 === 9 ? '' : `row ${i}`)).join('\n')}\n\n`,
  ],
  'columns that drift brings': [csv({ columns: { id: 'bigint' }, drift: 'evolve' }), shop(5000)],
  'lines of JSON': [json({ columns: COLUMNS }), ndjson(5000)],
  'lines of JSON, whose last ones bring a column': [
    json({ columns: COLUMNS, drift: 'evolve' }),
    `${ndjson(5000)}\n{"id":1,"more":"x"}\n`,
  ],
  'a header that does not fit': [csv({ columns: { other: 'string' } }), shop(5000)],
  'a quote that is never closed, and a long rest': [
    csv({ columns: COLUMNS }),
    `${shop(5000)}1,"${'x\n'.repeat(600_000)}`,
  ],
} as const;

for (const [what, [source, content]] of Object.entries(CASES)) {
  test(`${what}: nothing differs when a file is cut`, async () => {
    const pipeline = pipelineOf(source, { taken: {} });
    const { units, rejected } = await assertSameCut(pipeline, [{ 'a.txt': content }], ['taken']);
    assert.ok(units > 1 || rejected.length === 1, `${units} units`);
  });
}
