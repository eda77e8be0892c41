import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askingLists } from '../../../lib/adapters/store/listed.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { InvalidInput, ObjectNotFound, Unavailable } from '../../../lib/core/errors.ts';
import type { ObjectStore } from '../../../lib/ports.ts';

const THERE = 'ops/shop/breaker.json';
const denied = new InvalidInput('s3:GetObject failed: status 403');

/** Refuses every read, as S3 does what a caller may not read or know of. */
async function refusing(change: Partial<ObjectStore> = {}): Promise<ObjectStore> {
  const store = createMemoryStore();
  await store.write(THERE, new Uint8Array(1), { kind: 'any' });
  const refuse = async (): Promise<never> => {
    throw denied;
  };
  return askingLists({ ...store, read: refuse, head: refuse, ...change });
}

test('an object that a list has not is missing, and one that it has is refused', async () => {
  const store = await refusing();
  await assert.rejects(store.read('ops/shop/breaker'), ObjectNotFound);
  assert.equal(await store.head('ops/shop/lock.json'), undefined);
  await assert.rejects(store.read(THERE), denied);
  await assert.rejects(store.head(THERE), denied);
});

test('who may not list is told what was refused first, and faults stay faults', async () => {
  const unlisted = await refusing({
    list: () => {
      throw new InvalidInput('s3:ListBucket failed: status 403');
    },
  });
  await assert.rejects(unlisted.read('ops/other/breaker.json'), denied);
  const fault = new Unavailable('s3 is away');
  const broken = await refusing({
    head: async () => {
      throw fault;
    },
  });
  await assert.rejects(broken.head('ops/shop/lock.json'), fault);
});
