import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUnescaper } from '../../lib/landing/unescape.ts';
import type { CsvFormat } from '../../lib/sql/csv-dialect.ts';

const format: CsvFormat = {
  ...{ kind: 'csv', delimiter: ',', quote: '"', escape: '\\', header: false, encoding: 'utf-8', nullText: ['\\N'] },
};

const CASES: readonly (readonly [name: string, dialect: CsvFormat, text: string, copy: string])[] = [
  ['quotes', format, '"a\\"b","\\\\N",\\N\n"x\\\ny"\r\n', '"a""b","\\N",\\N\n"x\ny"\r\n'],
  ['broken quotes', format, '"a"b\\"c,"d"  ,"e', '"a"b\\"c,"d"  ,"e'],
  ['two bytes between', { ...format, delimiter: 'é' }, '"aé\\""é\\N\n', '"aé"""é\\N\n'],
  ['no quotes', { ...format, quote: '' }, 'a\\,b,\\N,\\\\N\n\\n,x\\', '\u001fa,b\u001f,\\N,\u001f\\N\u001f\n\\n,x\\'],
  ['no quotes, two bytes', { ...format, quote: '', delimiter: 'é' }, 'a\\ébéc\n', '\u001faéb\u001féc\n'],
];

for (const [name, dialect, text, copy] of CASES) {
  test(`${name}: in pieces of any size`, () => {
    for (const size of [1, 2, 3, 1_000]) {
      const unescaper = createUnescaper(dialect);
      const bytes = Buffer.from(text);
      const out: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) out.push(unescaper.push(bytes.subarray(at, at + size)));
      out.push(unescaper.end());
      assert.equal(Buffer.concat(out).toString(), copy);
    }
  });
}
