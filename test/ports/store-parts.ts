import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { it } from 'node:test';
import { ObjectNotFound, Unavailable } from '../../lib/core/errors.ts';
import type { ObjectStore } from '../../lib/ports.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const RANGES: readonly (readonly [number, number, string])[] = [
  [0, 3, '012'],
  [4, 5, '4'],
  [7, 10, '789'],
  [7, 99, '789'],
  [10, 12, ''],
  [99, 120, ''],
  [3, 3, ''],
];

/** Parts of objects: ranges that are read, and files that have only some bytes of an object. */
export function partsContract(store: () => ObjectStore): void {
  for (const zone of ['bronze/parts/s', 'silver/parts/t/data']) {
    it(`reads ranges of ${zone}, as far as the object goes`, async () => {
      const key = `${zone}/digits`;
      await store().write(key, bytesOf('0123456789'), { kind: 'any' });
      const { etag } = await store().read(key);
      for (const [start, end, text] of RANGES) {
        const found = await store().readRange(key, start, end);
        assert.deepEqual([textOf(found.bytes), found.etag], [text, etag], `${start} to ${end}`);
        assert.equal(textOf((await store().readRange(key, start, end, etag)).bytes), text);
      }
    });

    it(`reads a range of ${zone} only of the object that was asked for`, async () => {
      const key = `${zone}/replaced`;
      await store().write(key, bytesOf('first'), { kind: 'any' });
      const { etag } = await store().readRange(key, 0, 2);
      await store().write(key, bytesOf('other'), { kind: 'any' });
      await assert.rejects(store().readRange(key, 2, 4, etag), Unavailable);
      assert.equal(textOf((await store().readRange(key, 2, 4)).bytes), 'he');
    });
  }

  it('answers a range of a missing key with ObjectNotFound', async () => {
    await assert.rejects(store().readRange('ops/parts/none', 0, 5), ObjectNotFound);
    await assert.rejects(store().readRange('ops/parts/none', 0, 5, 'etag'), ObjectNotFound);
    await assert.rejects(store().readRange('ops/parts', 0, 5), ObjectNotFound);
  });

  it('lends files that have the parts at their own places', async () => {
    const [key, other] = ['silver/parts/t/data/a.parquet', 'silver/parts/t/data/b.parquet'];
    await store().write(key, bytesOf('0123456789'), { kind: 'any' });
    await store().write(other, bytesOf('abcdef'), { kind: 'any' });
    const { etag } = await store().readRange(key, 0, 1);
    const ranges = [
      { start: 0, end: 2 },
      { start: 4, end: 5 },
    ];
    const borrowed = await store().borrowParts([
      { key, etag, ranges, end: { start: 8, bytes: bytesOf('89') } },
      { key: other, ranges: [], end: { start: 5, bytes: bytesOf('f') } },
    ]);
    const [path, second] = [borrowed.paths.get(key) ?? '', borrowed.paths.get(other) ?? ''];
    const text = await readFile(path, 'latin1');
    const places = [...ranges, { start: 8, end: 10 }].map(({ start, end }) => text.slice(start, end));
    assert.deepEqual([text.length, ...places], [10, '01', '4', '89']);
    // What was not asked for is either not there or what the object has.
    for (const at of [2, 3, 5, 6, 7]) assert.ok(['\0', String(at)].includes(text[at] ?? ''), `byte ${at}`);
    assert.equal((await readFile(second, 'latin1')).at(-1), 'f');
    assert.equal(path.endsWith('.parquet'), true);
    assert.deepEqual([borrowed.changed.size, (await borrowed.verify()).size], [0, 0]);
    await borrowed[Symbol.asyncDispose]();
    await borrowed[Symbol.asyncDispose]();
    assert.equal((await store().head(key))?.size, 10);
  });

  it('lends no parts of what is not there', async () => {
    const end = { start: 3, bytes: bytesOf('x') };
    const ranges = [{ start: 0, end: 1 }];
    await assert.rejects(store().borrowParts([{ key: 'silver/parts/none', ranges, end }]), ObjectNotFound);
    const none = await store().borrowParts([]);
    assert.equal(none.paths.size, 0);
    await none[Symbol.asyncDispose]();
    await assert.rejects(stat(none.paths.get('x') ?? '/nowhere'));
  });
}
