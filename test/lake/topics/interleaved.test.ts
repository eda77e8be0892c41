import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { consumeTopic } from '../../../lib/lake/topics/consume.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { type Actor, Died, explore, type Gate } from '../../support/interleavings.ts';
import { makeScratch } from '../../support/test-engine.ts';
import { createMemoryTopic, type MemoryTopic } from './memory-topic.ts';

const RECORDS = 3;

/** What changes or tells what others have changed is done once it is the consumer's turn. */
function gated(store: ObjectStore, gate: Gate): ObjectStore {
  const passing =
    <A extends readonly unknown[], T>(what: string, act: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const step = await gate(`${what} ${String(args[0])}`);
      if (step === 'dies before') throw new Died();
      const done = await act(...args);
      if (step === 'dies after') throw new Died();
      return done;
    };
  return {
    ...store,
    read: passing('read', store.read),
    head: passing('head', store.head),
    names: passing('names', store.names),
    write: passing('write', store.write),
  };
}

function consume(topic: MemoryTopic, store: ObjectStore, records: number, all: boolean) {
  const wait = async (ms: number): Promise<void> => {
    topic.time += ms;
  };
  const settings = { records, bytes: 1e6, ageMs: 1, idleMs: 600, all, skipLost: false };
  const deps = { store, reader: topic.reader(), clock: topic.clock, wait };
  return consumeTopic(deps, { pipeline: 'p', source: 's', topic: 't' }, settings);
}

test('whoever of two consumers dies when, each record is landed once, also where they cut files in other places', async () => {
  const orders = await explore({
    preemptions: 2,
    mortal: ['whole', 'in parts'],
    world: async () => {
      const [topic, store] = [createMemoryTopic(), createMemoryStore({ scratch: makeScratch() })];
      topic.add(0, ...Array.from({ length: RECORDS }, (_, n) => ({ value: String(n) })));
      const actor = (name: string, records: number): Actor => ({
        name,
        act: async (gate) => {
          await consume(topic, gated(store, gate), records, name === 'whole').catch((cause: unknown) => {
            if (!(cause instanceof Died)) throw cause;
          });
        },
      });
      const check = async (): Promise<void> => {
        await consume(topic, store, 9, true);
        const values: string[] = [];
        for await (const { key } of store.list('bronze/')) {
          const lines = zstdDecompressSync((await store.read(key)).bytes)
            .toString()
            .trim()
            .split('\n');
          values.push(...lines.map((line) => (JSON.parse(line) as { value: string }).value));
        }
        assert.deepEqual(values.sort(), ['0', '1', '2']);
      };
      return { actors: [actor('whole', 9), actor('in parts', 1)], check };
    },
  });
  assert.ok(orders > 500, String(orders));
});
