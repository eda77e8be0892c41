import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Landing, takeTurn } from '../../../lib/adapters/origins/snapshots.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { InvalidInput } from '../../../lib/core/errors.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { makeScratch } from '../../support/test-engine.ts';

const PREFIX = 'bronze/talk/rates/';
const LAST = 'ops/talk/_origins/rates/last.json';
const [A, B] = ['a'.repeat(16), 'b'.repeat(16)];

const storeOf = (): ObjectStore => createMemoryStore({ scratch: makeScratch() });

/** As a lander does that has fetched something of this hash, at so many minutes past eight. */
async function fetching(store: ObjectStore, minute: number) {
  const turn = await takeTurn(store, PREFIX);
  const at = new Date(Date.UTC(2026, 10, 30, 8, minute));
  return {
    latest: turn.latest,
    async lands(hash: string, own: Partial<Landing> = {}): Promise<string> {
      const landed = await turn.land({ hash, at, ending: 'json', ...own }, 1, async (key) => {
        const { kind } = await store.write(key, new TextEncoder().encode(hash), { kind: 'absent' });
        return kind === 'written' ? hash.length : undefined;
      });
      return landed.nothing ?? landed.files.map(({ key }) => key.slice(PREFIX.length)).join();
    },
  };
}

async function filesOf(store: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(PREFIX)) keys.push(key.slice(PREFIX.length));
  return keys;
}

const fileAt = (minute: number, hash: string): string =>
  `2026-11-30/20261130T08${String(minute).padStart(2, '0')}00000Z-${hash}.json`;

describe('fetches that overlap', () => {
  test('land what is equal once, and of what differs what was asked for last', async () => {
    const store = storeOf();
    const [first, same, other] = [await fetching(store, 1), await fetching(store, 2), await fetching(store, 3)];
    assert.equal(await same.lands(A), fileAt(2, A));
    assert.equal(await first.lands(A), 'unchanged');
    assert.equal(await other.lands(B), 'overtaken');
    assert.deepEqual(await filesOf(store), [fileAt(2, A)]);
    // None is at work any more.
    const next = await fetching(store, 4);
    assert.equal(next.latest?.file, fileAt(2, A));
    assert.equal(await next.lands(B), fileAt(4, B));
    assert.equal(await (await fetching(store, 5)).lands(A), fileAt(5, A));
  });

  test('write the file of one that died between its name and its file, or is about to write', async () => {
    const store = storeOf();
    await (await fetching(store, 1)).lands(B);
    const before = await fetching(store, 2);
    await store.write(LAST, new TextEncoder().encode(`{"file":"${fileAt(3, A)}"}`), { kind: 'any' });
    // What has a name and no file was not landed last.
    const after = await fetching(store, 4);
    assert.equal(after.latest?.file, fileAt(1, B));
    assert.equal(await before.lands(A), fileAt(3, A));
    assert.equal(await after.lands(A), 'unchanged');
    assert.deepEqual(await filesOf(store), [fileAt(1, B), fileAt(3, A)]);
    // One that died for good keeps something else from being landed for as long as it might have been at work.
    await store.write(LAST, new TextEncoder().encode(`{"file":"${fileAt(5, B)}"}`), { kind: 'any' });
    const other = 'c'.repeat(16);
    assert.equal(await (await fetching(store, 20)).lands(other), 'overtaken');
    assert.equal(await (await fetching(store, 21)).lands(other), fileAt(21, other));
  });

  test('land rows after a cursor once, also where one has its name and still writes its file', async () => {
    const store = storeOf();
    const parquet = { ending: 'parquet' } as const;
    await (await fetching(store, 1)).lands(A, { ...parquet, cursor: '3' });
    const slow = await takeTurn(store, PREFIX);
    let second = '';
    const at = new Date(Date.UTC(2026, 10, 30, 8, 2));
    await slow.land({ hash: B, at, ...parquet, cursor: '5' }, 2, async (key) => {
      const other = await fetching(store, 3);
      assert.equal(other.latest?.cursor, '3', 'it would have the rows that the first is about to land');
      second = await other.lands('c'.repeat(16), { ...parquet, cursor: '7' });
      await store.write(key, new Uint8Array(1), { kind: 'absent' });
      return 1;
    });
    assert.equal(second, 'overtaken');
    assert.equal((await fetching(store, 4)).latest?.cursor, '5');
    assert.equal((await filesOf(store)).length, 2);
  });

  test('go on from files that were landed before there was a note of the last, by name', async () => {
    const store = storeOf();
    const cursor = '2026-11-30 09:00:00+00';
    const name = `2026-11-29/20261129T080000000Z-${A}-${Buffer.from(cursor).toString('base64url')}.parquet`;
    for (const one of [name, '2026-11-29/own.json', `2026-11-28/20261128T080000000Z-${B}.json`, 'x.json']) {
      await store.write(`${PREFIX}${one}`, new Uint8Array(1), { kind: 'any' });
    }
    const turn = await fetching(store, 1);
    assert.deepEqual([turn.latest?.file, turn.latest?.hash, turn.latest?.cursor], [name, A, cursor]);
    assert.equal(await turn.lands(A), 'unchanged');
    const later = { cursor: '2026-11-30 10:00:00+00', ending: 'parquet' } as const;
    await turn.lands(B, later);
    assert.equal((await fetching(store, 2)).latest?.cursor, later.cursor);
  });

  test('end with an error that says what to remove where the note is none', async () => {
    const store = storeOf();
    for (const text of ['{', 'null', '{"file":1}', '{"file":"a/b.json"}']) {
      await store.write(LAST, new TextEncoder().encode(text), { kind: 'any' });
      await assert.rejects(
        () => fetching(store, 1),
        (error: unknown) =>
          error instanceof InvalidInput && error.message.startsWith(`${LAST} does not say which file`),
      );
    }
  });
});
