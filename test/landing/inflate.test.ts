import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { createZstdDecoder } from '../../lib/landing/inflate.ts';

describe('a file that is compressed with zstd', () => {
  test('is read where Node can', () => {
    const decoder = createZstdDecoder(zlib);
    decoder.end(zlib.zstdCompressSync('a,b\n'));
    let text = '';
    decoder.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    return new Promise<void>((resolve) => {
      decoder.on('end', () => {
        assert.equal(text, 'a,b\n');
        resolve();
      });
    });
  });

  test('ends the run where Node cannot, and says which Node can: the file is not at fault', () => {
    assert.throws(
      () => createZstdDecoder({}),
      /^InvalidInput: Node v.* cannot read .*zstd: expected Node 22\.15 or later/,
    );
  });
});
