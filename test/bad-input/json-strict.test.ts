import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonOptions } from '../../lib/define/index.ts';
import { runSources } from './bad-lake.ts';

const columns: JsonOptions['columns'] = { id: { type: 'int', required: true }, note: 'string' };
const WHOLE = '[\n  {"id": 1},\n  {"id": 2, "note": "x"}\n]\n';
const cuts = Array.from({ length: WHOLE.trimEnd().length - 1 }, (_, i) => WHOLE.slice(0, i + 1));

/** Lines that DuckDB's own reader takes, or that look like them. */
const LINES: readonly (readonly [line: string, sound: boolean])[] = [
  ['{"id":1}', true],
  ['{"id":2,}', false],
  ['{"id":3,"note":[1,]}', false],
  ['{"id":4,"note":NaN}', false],
  ['{"id":5,"note":-Infinity}', false],
  ['{"id":6,"note":[inf]}', false],
  ['{"id":7,"note":"a,} b,] :NaN [inf"}', true],
  ['{"id":8,"note":"\\",}"}', true],
  ['{"id":9,"note":null}', true],
  ['{"id":10,"note":"\\ud800"}', false],
  ['{"id":11,"note":"x\\u0001\\u0001y","more":1e5}', true],
  ['{"id":12,"note":01}', false],
  ['{"id":13} // no', false],
];

const PRETTY = '[\r\n {\r\n  "id": "one",\r\n  "note": "a\\nb"\r\n },\n\n {"id": 2}, 7 ,\n {\n "id":\n3.5 }\n]';

const outcomes = runSources({
  cut: { json: { columns, layout: 'array' }, files: Object.fromEntries(cuts.map((text, i) => [`${i}.json`, text])) },
  whole: { json: { columns, layout: 'array' }, files: { 'a.json': WHOLE, 'empty.json': '[ ]' } },
  lines: { json: { columns, drift: 'ignore' }, files: { 'a.json': LINES.map(([line]) => `${line}\n`).join('') } },
  elements: {
    json: { columns, drift: 'ignore', layout: 'array' },
    files: {
      'sound.json': `[${LINES.flatMap(([line, sound]) => (sound ? [line] : [])).join(', ')}]`,
      ...Object.fromEntries(LINES.flatMap(([line, sound], i) => (sound ? [] : [[`${i}.json`, `[{"id":0},${line}]`]]))),
    },
  },
  raw: { json: { columns, layout: 'array' }, files: { 'a.json': PRETTY } },
  encoding: {
    json: { columns, layout: 'array' },
    files: {
      'a.json': Buffer.concat([Buffer.from('[{"id":1,"note":"'), Buffer.from([0xff]), Buffer.from('"},{"id":2}]')]),
    },
  },
});

test('an array that was cut anywhere is rejected', async () => {
  const { cut, whole } = await outcomes;
  assert.equal(Object.keys(cut.rejected).length, cuts.length);
  for (const reason of Object.values(cut.rejected))
    assert.match(reason, /^UNREADABLE_FILE: not one JSON array: line \d/);
  assert.deepEqual(
    whole.rows.map((row) => row['id']),
    [1, 2],
  );
  assert.deepEqual(whole.rejected, {});
});

test('a line that is not quite JSON is quarantined as it stands', async () => {
  const { lines } = await outcomes;
  const good = LINES.flatMap(([, sound], i) => (sound ? [i + 1] : []));
  assert.deepEqual(
    lines.rows.map((row) => row['id']),
    good,
  );
  for (const { line, raw, codes, details } of lines.quarantine) {
    assert.equal(raw, LINES[line - 1]?.[0]);
    assert.deepEqual([codes, details], [['SCHEMA_ERROR'], ['not a JSON object']]);
  }
  assert.equal(lines.rows.find((row) => row['id'] === 11)?.['note'], 'x\u0001\u0001y');
});

test('an array with such an element is rejected, but for what its bytes do not show', async () => {
  const { elements } = await outcomes;
  const rejected = LINES.flatMap(([line, sound], i) => (sound || line.includes('ud800') ? [] : [`${i}.json`]));
  assert.deepEqual(Object.keys(elements.rejected).sort(), rejected.sort());
  assert.deepEqual(
    elements.quarantine.map(({ file, line, raw }) => [file, line, raw]),
    [['9.json', 2, LINES[9]?.[0]]],
  );
});

test('a quarantined element has its number and its text as it stands in the file', async () => {
  const { raw } = await outcomes;
  assert.deepEqual(raw.rows, [{ id: 2, note: null }]);
  assert.deepEqual(
    raw.quarantine.map((row) => [row.line, row.raw, row.codes.join()]),
    [
      [1, '{\r\n  "id": "one",\r\n  "note": "a\\nb"\r\n }', 'TYPE_ERROR'],
      [3, '7', 'SCHEMA_ERROR'],
      [4, '{\n "id":\n3.5 }', 'TYPE_ERROR'],
    ],
  );
});

test('an element that is not UTF-8 is quarantined', async () => {
  const { encoding } = await outcomes;
  assert.deepEqual(
    encoding.rows.map((row) => row['id']),
    [2],
  );
  assert.deepEqual(
    encoding.quarantine.map(({ line, codes }) => [line, codes]),
    [[1, ['SCHEMA_ERROR']]],
  );
});
