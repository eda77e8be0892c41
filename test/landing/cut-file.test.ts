import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { SourceFormat } from '../../lib/core/spec.ts';
import { localBytes } from '../../lib/landing/byte-source.ts';
import type { Cut } from '../../lib/landing/cut.ts';
import { cutFile } from '../../lib/landing/cut-file.ts';
import { linesBefore, takePiece } from '../../lib/landing/take-piece.ts';
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
const LINES: TextFormat = { kind: 'json', layout: 'lines' };

async function cut(content: string | Uint8Array, format: SourceFormat, bytes: number): Promise<Cut> {
  const path = join(folder, 'landed');
  await writeFile(path, content);
  return cutFile(await localBytes(path), format, bytes);
}

/** The parts as they are read: what each adds to a line, and its text. */
async function taken(content: string | Uint8Array, format: TextFormat, bytes: number) {
  const found = await cut(content, format, bytes);
  if (found.kind !== 'pieces') return found.kind;
  const source = await localBytes(join(folder, 'landed'));
  const parts: (readonly [number, string])[] = [];
  for (const piece of found.pieces) {
    await takePiece(source, piece, format, join(folder, 'piece'));
    parts.push([linesBefore(piece), await readFile(join(folder, 'piece'), 'utf8')]);
  }
  return parts;
}

test('parts of CSV begin where records do, each below the header', async () => {
  assert.deepEqual(await taken('\uFEFFa,b\n1,"x\ny"\n2,z\n3,w\n', CSV, 7), [
    [0, 'a,b\n1,"x\ny"\n'],
    [2, 'a,b\n2,z\n'],
    [3, 'a,b\n3,w\n'],
  ]);
});

test('latin-1 is read as UTF-8, and its delimiter is found as it stands', async () => {
  const format = { ...CSV, encoding: 'latin-1', delimiter: '§' } as const;
  assert.deepEqual(await taken(Buffer.from('é§"b\n"\n1§2\n3§4\n', 'latin1'), format, 8), [
    [0, 'é§"b\n"\n1§2\n'],
    [1, 'é§"b\n"\n3§4\n'],
  ]);
});

test('lines of JSON are cut at line breaks', async () => {
  assert.deepEqual(await taken('{"a":1}\n\n{"a":"\\""}\n', LINES, 5), [
    [0, '{"a":1}\n'],
    [1, '\n{"a":"\\""}\n'],
  ]);
});

test('a record that begins like an archive, or with a byte order mark, stays text', async () => {
  assert.deepEqual(await taken('BZa,1\nBZh,2\n\uFEFFx,3\n', { ...CSV, header: false }, 6), [
    [0, 'BZa,1\n'],
    [1, '\uFEFFBZh,2\n'],
    [2, '\uFEFF\uFEFFx,3\n'],
  ]);
});

for (const [what, content, format, kind] of [
  ['a gzipped file', Buffer.from('1f8b08000000', 'hex'), LINES, 'in turn'],
  ['a file compressed with zstd', Buffer.from('28b52ffd0000', 'hex'), CSV, 'in turn'],
  ['UTF-16', 'a\n1\n2\n', { ...CSV, encoding: 'utf-16' }, 'in turn'],
  ['an array', '[1,2,3]', { kind: 'json', layout: 'array' }, 'in turn'],
  ['escapes that the engine does not know', 'a\n1\n', { ...CSV, quote: '', escape: '\\' }, 'in turn'],
  ['a zip archive', Buffer.from('504b030400000000', 'hex'), CSV, 'whole'],
  ['one record', 'a,"\n\n\n\n\n"', { ...CSV, header: false }, 'whole'],
] as const) {
  test(`${what}: ${kind}`, async () => assert.equal((await cut(content, format, 2)).kind, kind));
}

test('a quote that is never closed rejects the file as it does when it is read whole', async () => {
  const rest = `"${'x'.repeat(1_000_000)}`;
  assert.deepEqual(await cut(`a\nb\n${rest}`, CSV, 100_000), {
    kind: 'refused',
    code: 'UNREADABLE_FILE',
    reason: 'line 3: a quote is never closed; 1000001 bytes follow',
  });
});

test('the parts are the file, none before or after another, at every size', async () => {
  const part = fc.constantFrom('"', '\n', '\r', '\r\n', ',', '""', 'a', 'é', '漢', ' ', '"\n"', '\uFEFF');
  const text = fc.array(part, { minLength: 1, maxLength: 30 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(text, fc.boolean(), async (content, header) => {
      const size = Buffer.byteLength(content);
      for (let bytes = 1; bytes < size; bytes += 1) {
        const found = await cut(content, { ...CSV, header }, bytes);
        if (found.kind !== 'pieces') continue;
        const { pieces } = found;
        assert.equal(pieces[0]?.from, content.startsWith('\uFEFF') ? 3 : 0);
        assert.deepEqual(
          pieces.map(({ to }) => to),
          [...pieces.slice(1).map(({ from }) => from), size],
        );
        assert.deepEqual(
          pieces.map((piece) => piece.header !== undefined),
          pieces.map(({ nth }) => header && nth > 0),
        );
      }
    }),
    { numRuns: 30 },
  );
});
