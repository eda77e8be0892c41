import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { SourceFormat } from '../../lib/core/spec.ts';
import { localBytes } from '../../lib/landing/byte-source.ts';
import { cutStream } from '../../lib/landing/cut-stream.ts';
import { createRecordScanner } from '../../lib/landing/record-scanner.ts';
import type { TextFormat } from '../../lib/landing/text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-cut-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CSV: Extract<SourceFormat, { kind: 'csv' }> = {
  kind: 'csv',
  header: true,
  delimiter: ',',
  quote: '"',
  escape: '"',
  nullText: [''],
  encoding: 'utf-8',
};
const ARRAY: TextFormat = { kind: 'json', layout: 'array' };

/** What each part adds to a line, and its text; one part at a time is on the disk. */
async function parts(content: Uint8Array, format: TextFormat, bytes: number) {
  const path = join(folder, 'landed');
  const own = join(folder, 'parts');
  await writeFile(path, content);
  const found: (readonly [number, string])[] = [];
  for await (const { path: part, before } of cutStream(await localBytes(path), format, { bytes, folder: own })) {
    assert.equal((await readdir(own)).length, 1);
    found.push([before, await readFile(part, 'utf8')]);
  }
  assert.deepEqual(await readdir(own).catch(() => []), []);
  return found;
}

const utf8 = (text: string): Buffer => Buffer.from(text);

for (const [what, pack] of Object.entries({ gzip: gzipSync, zstd: zstdCompressSync })) {
  test(`${what} is inflated as a stream, and cut where records begin`, async () => {
    assert.deepEqual(await parts(pack('\uFEFFa,b\n1,"x\ny"\n2,z\n\n3,w\n'), CSV, 8), [
      [0, 'a,b\n1,"x\ny"\n'],
      [2, 'a,b\n2,z\n\n3,w\n'],
    ]);
  });
}

test('UTF-16 is decoded on the way', async () => {
  const format = { ...CSV, encoding: 'utf-16', header: false } as const;
  assert.deepEqual(await parts(Buffer.from('\uFEFFé,1\nb,2\nc,3\n', 'utf16le'), format, 5), [
    [0, 'é,1\n'],
    [1, 'b,2\nc,3\n'],
  ]);
});

test('an array is cut between its elements, which are counted', async () => {
  assert.deepEqual(await parts(utf8('[{"a":\n1}, {"a":2},\n{"a":3}]'), ARRAY, 8), [
    [0, '{"a":\u001e1}\n'],
    [1, '{"a":2}\n'],
    [2, '{"a":3}\n'],
  ]);
});

test('escapes are read as quotes', async () => {
  const format = { ...CSV, header: false, quote: '', escape: '\\' };
  assert.deepEqual(await parts(utf8('a\\,b,1\nc\\\nd,2\n'), format, 4), [
    [0, '\u001fa,b\u001f,1\n'],
    [1, '\u001fc\nd\u001f,2\n'],
  ]);
});

const GZIP = gzipSync('a,b\n1,2\n3,4\n5,6\n');
for (const [what, content, format, reason] of [
  [
    'gzip that is cut short',
    GZIP.subarray(0, -5),
    CSV,
    /^damaged or truncated compressed file: unexpected end of file$/,
  ],
  ['a wrong checksum', Buffer.concat([GZIP.subarray(0, -8), Buffer.alloc(8)]), CSV, /incorrect data check/],
  [
    'bytes after the end',
    Buffer.concat([GZIP, Buffer.alloc(20)]),
    CSV,
    /20 bytes after the end of the compressed data$/,
  ],
  ['no UTF-16', Buffer.from([0x61]), { ...CSV, encoding: 'utf-16' }, /^the file is not utf-16/],
  ['another byte order mark', Buffer.from('fffe6100', 'hex'), CSV, /byte order mark of utf-16le; expected utf-8/],
  ['a zip archive', Buffer.from('504b030400000000', 'hex'), CSV, /^the file is a zip archive/],
  ['nothing', Buffer.alloc(0), CSV, /^the file is empty/],
  ['no array', utf8('[1,2'), ARRAY, /^not one JSON array/],
  [
    'an open quote',
    utf8(`a\nb\n"${'x'.repeat(1_000_001)}`),
    CSV,
    /^line 3: a quote is never closed; 1000002 bytes follow$/,
  ],
] as const) {
  test(`${what}: the file is at fault, whatever parts it had`, async () => {
    await assert.rejects(parts(content, format, 4), { message: reason });
  });
}

test('parts of every size have the records of the text, and their lines', async () => {
  const part = fc.constantFrom('"', '\n', '\r', '\r\n', ',', '""', 'a', 'é', '漢', ' ', '"\n"');
  const text = fc.array(part, { minLength: 1, maxLength: 30 }).map((all) => all.join(''));
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 20 }), fc.boolean(), async (content, bytes, header) => {
      const format = { ...CSV, header };
      const expected = startsOf(content, 0);
      const found = (await parts(utf8(content), format, bytes)).flatMap(([before, one], nth) =>
        startsOf(one, before).slice(header && nth > 0 ? 1 : 0),
      );
      assert.deepEqual(found, expected);
    }),
    { numRuns: 200 },
  );
});

/** The records and blank lines of a text: line and text. */
function startsOf(content: string, before: number): readonly (readonly [number, string])[] {
  const bytes = utf8(content);
  const starts: { readonly offset: number; readonly lines: number }[] = [];
  const scanner = createRecordScanner(
    { quote: 0x22, escape: 0x22, delimiter: utf8(',') },
    {
      start: (offset, lines) => {
        starts.push({ offset, lines });
        return offset + 1;
      },
    },
  );
  scanner.push(bytes);
  return starts.map(({ offset, lines }, i) => [
    1 + lines + before,
    bytes.subarray(offset, starts[i + 1]?.offset).toString(),
  ]);
}
