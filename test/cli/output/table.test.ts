import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderTable } from '../../../lib/cli/output/table.ts';

const lines = (...text: readonly string[]) => `${text.join('\n')}\n`;

test('numbers, decimals as text and long integers stand right, text left, null is NULL', () => {
  const rows = [
    { n: 1, amount: '12.30', id: '9007199254740993', name: 'a' },
    { n: 200, amount: null, id: '1', name: null },
  ];
  assert.equal(
    renderTable(rows),
    lines(
      '┌─────┬────────┬──────────────────┬──────┐',
      '│   n │ amount │               id │ name │',
      '├─────┼────────┼──────────────────┼──────┤',
      '│   1 │  12.30 │ 9007199254740993 │ a    │',
      '│ 200 │   NULL │                1 │ NULL │',
      '└─────┴────────┴──────────────────┴──────┘',
    ),
  );
});

test('a known type decides, not how a value looks', () => {
  const text = renderTable(
    [{ code: '7', n: '7' }],
    [
      { name: 'code', type: 'VARCHAR' },
      { name: 'n', type: 'DECIMAL(38,2)' },
    ],
  );
  assert.ok(text.includes('│ 7    │ 7 │'), text);
  const wide = renderTable([{ number: null }, { number: '7' }], [{ name: 'number', type: 'UBIGINT' }]);
  assert.ok(wide.includes('│      7 │'), wide);
});

test('text with leading zeros is no number', () => {
  assert.ok(renderTable([{ postcode: '01234' }]).includes('│ 01234    │'));
});

test('the widest text column is cut until the table fits; numbers are not', () => {
  const text = renderTable([{ id: '123456789012345678', a: 'x'.repeat(100), b: 'y'.repeat(12) }], undefined, {
    width: 60,
  });
  const widths = text
    .trimEnd()
    .split('\n')
    .map((line) => line.length);
  assert.deepEqual([...new Set(widths)], [60]);
  assert.match(text, /123456789012345678/);
  assert.match(text, / x+… /);
  assert.match(text, /y{12}/);
});

test('wide characters count as two columns', () => {
  assert.equal(
    renderTable([{ a: '日本語日本語' }], undefined, { width: 12 }),
    lines('┌──────────┐', '│ a        │', '├──────────┤', '│ 日本語…  │', '└──────────┘'),
  );
});

test('a terminal too narrow for the numbers keeps them whole', () => {
  assert.match(renderTable([{ a: 1234567890, b: 'text' }], undefined, { width: 10 }), /│ 1234567890 │ text │/);
});

test('line breaks and escape sequences in values and names are shown, not obeyed', () => {
  const text = renderTable([{ 'a\nb': 'x\u001b[31m\ty\r\n\u009b' }]);
  assert.match(text, /a\\nb/);
  assert.match(text, /x\\u001b\[31m\\ty\\r\\n\\u009b/);
  for (const control of ['\u001b', '\u009b', '\t', '\r']) assert.ok(!text.includes(control));
});

test('nested values are JSON', () => {
  assert.match(renderTable([{ a: { k: [1, 'z'] } }]), /│ \{"k":\[1,"z"\]\} │/);
});

test('rows beyond the limit are counted', () => {
  const rows = Array.from({ length: 2500 }, (_, n) => ({ n }));
  const text = renderTable(rows);
  assert.match(text, /│ +999 │/);
  assert.doesNotMatch(text, /│ +1000 │/);
  assert.match(text, /\n… 1,500 more of 2,500 rows\n$/);
});

test('color dims NULL and nothing else', () => {
  const row = { a: null, b: 'x' };
  const colored = renderTable([row], undefined, { color: true });
  assert.ok(colored.includes('\u001b[2mNULL\u001b[22m'));
  assert.equal(stripVTControlCharacters(colored), renderTable([row]));
});

test('no rows show the columns; no columns say so', () => {
  assert.equal(renderTable([], [{ name: 'a' }]), lines('┌───┐', '│ a │', '└───┘'));
  assert.equal(renderTable([]), '(no columns)\n');
});

test('names and ids are whole however narrow the terminal is', () => {
  const run_id = `r-${'0123456789'.repeat(8)}`;
  const rows = [{ run_id, error: 'e'.repeat(200) }];
  const text = renderTable(rows, [{ name: 'run_id', whole: true }, { name: 'error' }], { width: 40 });
  assert.ok(text.includes(run_id));
  assert.doesNotMatch(text, /e{20}/);
});
