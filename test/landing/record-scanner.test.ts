import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRecordScanner, type RecordScan, type RecordStart } from '../../lib/landing/record-scanner.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const CSV = { quote: 0x22, escape: 0x22, delimiter: bytes(',') };

function scan(
  text: string,
  cuts: readonly number[] = [],
  dialect = CSV,
): RecordScan & { starts: readonly RecordStart[]; unified: string } {
  const starts: RecordStart[] = [];
  const unified: string[] = [];
  const copy = (piece: Uint8Array, ended: boolean): void => {
    unified.push(Buffer.from(piece).toString('latin1'), ended ? '\n' : '');
  };
  const scanner = createRecordScanner(dialect, { shift: (start) => starts.push(start), copy });
  const whole = Buffer.from(text, 'latin1');
  const sorted = [...cuts.map((cut) => cut % (whole.length + 1))].sort((a, b) => a - b);
  // Files are read through one buffer, so that a scanner has to keep nothing of it.
  const shared = Buffer.alloc(whole.length);
  for (const [i, to] of [...sorted, whole.length].entries()) {
    const length = whole.copy(shared, 0, i === 0 ? 0 : sorted[i - 1], to);
    scanner.push(shared.subarray(0, length));
    shared.fill(0);
  }
  return { ...scanner.end(), starts, unified: unified.join('') };
}

const CASES: Readonly<Record<string, Partial<RecordScan>>> = {
  '': { records: 0, blankLines: 0, longest: 0, firstEnd: 0, breaks: 'lf', regular: true },
  'a,b': { records: 1, longest: 3, firstEnd: 3, breaks: 'lf' },
  'a\nbc\n': { records: 2, longest: 2, firstEnd: 1, breaks: 'lf', regular: true },
  'a\r\nb\r\n': { records: 2, longest: 1, breaks: 'others', regular: true },
  'a\rb': { records: 2, breaks: 'others' },
  'a\n\n\r\nb': { records: 2, blankLines: 2, regular: false },
  '"a\nb"\nc': { records: 2, longest: 5, firstEnd: 5, regular: false },
  '"a""\n"\nc': { records: 2, regular: false },
  'a"\n"b': { records: 2, regular: true, openQuote: { line: 2, offset: 3 } },
  ' "a\nb"': { records: 1 },
  '  "a\nb"': { records: 2 },
  '"a" "\nb"': { records: 1 },
  '"a"x"\nb': { records: 2 },
  'a\nb,"c\nd': { records: 2, openQuote: { line: 2, offset: 2 } },
  '\n\n"x': { records: 1, openQuote: { line: 3, offset: 2 } },
};

for (const [text, expected] of Object.entries(CASES)) {
  test(`records of ${JSON.stringify(text)}`, () => {
    const found = scan(text);
    for (const [name, value] of Object.entries(expected))
      assert.deepEqual(found[name as keyof RecordScan], value, name);
    if (!('openQuote' in expected)) assert.equal(found.openQuote, undefined);
  });
}

test('records start on lines that an editor counts', () => {
  const { starts } = scan('h\r\na\n\n"b\r\nc"\rd\n\ne');
  assert.deepEqual(starts, [
    { record: 1, place: 1, line: 1 },
    { record: 3, place: 4, line: 4 },
    { record: 4, place: 5, line: 6 },
    { record: 5, place: 7, line: 8 },
  ]);
});

test('quotes, escapes and delimiters of several bytes', () => {
  const backslash = { quote: 0x27, escape: 0x5c, delimiter: bytes('¦') };
  const text = Buffer.from("a¦'b\\'\nc'\nd¦x'\n'").toString('latin1');
  assert.equal(scan(text, [], backslash).records, 3);
  assert.equal(scan('"a\n"b\n', [], { quote: -1, escape: -1, delimiter: bytes('') }).records, 2);
});

test('where a file is cut into chunks changes nothing', () => {
  const token = fc.constantFrom(',', '"', '\n', '\r', '\r\n', 'x', ' ', '""', '\\');
  const text = fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(60), { maxLength: 5 }), (content, cuts) => {
      const whole = scan(content);
      assert.deepEqual(scan(content, cuts), whole);
      // With line feeds alone it has the same records.
      const unified = scan(whole.unified);
      assert.deepEqual(
        [unified.records, unified.blankLines, unified.longest],
        [whole.records, whole.blankLines, whole.longest],
      );
      assert.equal(unified.breaks, 'lf');
    }),
    { numRuns: 2000 },
  );
});
