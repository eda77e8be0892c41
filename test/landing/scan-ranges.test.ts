import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ByteSource } from '../../lib/landing/byte-source.ts';
import { createRecordScanner } from '../../lib/landing/record-scanner.ts';
import { type Boundary, type FileScan, scanInRanges } from '../../lib/landing/scan-ranges.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const CSV = { quote: 0x22, escape: 0x22, delimiter: encode(',') };
const DIALECTS = {
  csv: CSV,
  'two delimiters': { ...CSV, delimiter: encode('||') },
  'wide delimiter': { ...CSV, delimiter: encode('§') },
  'other escape': { ...CSV, escape: 0x5c },
  lines: { quote: -1, escape: -1, delimiter: new Uint8Array(0) },
};

/** Bytes in memory, which are read in chunks of a size. */
function bytesOf(text: string, atOnce: number, chunk = 3): ByteSource {
  const bytes = encode(text);
  async function* read(from: number, to: number): AsyncGenerator<Uint8Array> {
    for (let at = from; at < to; at += chunk) yield bytes.subarray(at, Math.min(at + chunk, to));
  }
  return { size: bytes.length, read, atOnce };
}

/** Every place at which a record or a blank line begins, by one scan of the whole text. */
function everyStart(text: string, dialect: typeof CSV) {
  const starts: Boundary[] = [];
  const start = (offset: number, lines: number): number => {
    starts.push({ offset, lines });
    return offset + 1;
  };
  const scanner = createRecordScanner(dialect, { start });
  scanner.push(encode(text));
  return { starts, scan: scanner.end() };
}

async function scanned(text: string, dialect: typeof CSV, rangeBytes: number, atOnce = 4): Promise<FileScan> {
  const found = await scanInRanges(bytesOf(text, atOnce), dialect, { start: 0, rangeBytes, longestLine: 1000 });
  return found ?? assert.fail('a line is too long');
}

test('a range that begins inside quotes is joined to the record before it', async () => {
  const text = 'a,"x\ny\nz"\nb,1\r\nc,"\r\n"\nd,2\n';
  const { boundaries, lines, longest, openQuote } = await scanned(text, CSV, 6);
  assert.deepEqual(boundaries, [
    { offset: 0, lines: 0 },
    { offset: 10, lines: 3 },
    { offset: 15, lines: 4 },
    { offset: 22, lines: 6 },
  ]);
  assert.deepEqual({ lines, longest, openQuote }, { lines: 7, longest: 9, openQuote: undefined });
});

test('a quote that is never closed is found where its record begins', async () => {
  const { openQuote, longest, boundaries } = await scanned('a\nb\nc,"d\ne\nf\n', CSV, 3);
  assert.deepEqual(openQuote, { offset: 4, lines: 2 });
  assert.equal(longest, 9);
  assert.equal(boundaries.at(-1)?.offset, 4);
});

test('a line beyond the longest is not looked for any further', async () => {
  const long = bytesOf(`a\n${'x'.repeat(100)}\n`, 1);
  assert.equal(await scanInRanges(long, CSV, { start: 0, rangeBytes: 10, longestLine: 20 }), undefined);
});

const text = fc
  .array(fc.constantFrom('"', '\n', '\r', '\r\n', ',', '|', '||', '§', '\\', ' ', 'a', 'é', '漢', '""', '"\n"'), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''));

for (const [name, dialect] of Object.entries(DIALECTS)) {
  test(`${name}: ranges of every size say what one scan of the whole text says`, async () => {
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const { starts, scan } = everyStart(content, dialect);
        const size = encode(content).length;
        for (let rangeBytes = 1; rangeBytes <= Math.max(1, size); rangeBytes += 1) {
          const many = await scanned(content, dialect, rangeBytes);
          assert.deepEqual(await scanned(content, dialect, rangeBytes, 1), many);
          assert.equal(many.lines, scan.lines);
          assert.equal(many.longest, scan.longest);
          const { openQuote } = scan;
          assert.deepEqual(many.openQuote, openQuote && { offset: openQuote.offset, lines: openQuote.line - 1 });
          for (const boundary of many.boundaries) {
            assert.deepEqual(
              starts.find(({ offset }) => offset === boundary.offset),
              boundary,
            );
          }
          if (rangeBytes === 1) assert.deepEqual(many.boundaries, starts);
        }
      }),
      { numRuns: 60 },
    );
  });
}
