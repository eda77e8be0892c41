import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { claimKey } from '../../../lib/lake/topics/claims.ts';
import { type ConsumeEvents, consumeTopic } from '../../../lib/lake/topics/consume.ts';
import { type ConsumeSettings, CUTS } from '../../../lib/lake/topics/settings.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { makeScratch } from '../../support/test-engine.ts';
import { createMemoryTopic, type MemoryTopic } from './memory-topic.ts';

const PLACE = { pipeline: 'hr', source: 'messages', topic: 'talk' };
const FOLDER = 'bronze/hr/messages/talk/';
const IDLE: ConsumeSettings = { ...CUTS, idleMs: 1_000, all: true, skipLost: false };

function storeOf(): ObjectStore {
  return createMemoryStore({ scratch: makeScratch() });
}

type Given = Partial<ConsumeSettings> & ConsumeEvents & { readonly store: ObjectStore; readonly most?: number };

function consume(topic: MemoryTopic, { store, most, ...given }: Given) {
  const wait = async (ms: number): Promise<void> => {
    topic.time += ms;
  };
  const deps = { store, reader: topic.reader(most), clock: topic.clock, wait };
  return consumeTopic(deps, PLACE, { ...IDLE, ...given }, given);
}

/** By name below the topic's folder, the values of the records. */
async function landed(store: ObjectStore): Promise<Record<string, unknown[]>> {
  const files: Record<string, unknown[]> = {};
  for await (const { key } of store.list(FOLDER)) {
    const text = zstdDecompressSync((await store.read(key)).bytes).toString();
    const lines = text.split('\n').filter((line) => line !== '');
    files[key.slice(FOLDER.length)] = lines.map((line) => (JSON.parse(line) as { value: unknown }).value);
  }
  return files;
}

const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, n) => ({ value: String(first + n) }));

describe('files of a topic', () => {
  test('have all that is known of a record, and say their offsets by their names', async () => {
    const [topic, store] = [createMemoryTopic(2), storeOf()];
    const bytes = (text: string) => Buffer.from(text);
    topic.add(0, {
      value: '{"a": 1.10,\n"ü":"\u2028"}',
      key: bytes('k"1'),
      timestamp: 1_769_904_000_123n,
      headers: [
        [bytes('h'), bytes('1')],
        [bytes('h'), null],
        [null, Buffer.from([0xff])],
      ],
    });
    topic.add(0, { value: Buffer.from([0x22, 0xff]), key: Buffer.from([0xc0]) }, {});
    topic.add(1, { value: 'x' });
    const result = await consume(topic, { store });
    const { bytes: size, ...rest } = result;
    assert.deepEqual(rest, { files: 2, records: 4, next: ['3', '1'] });
    const { bytes: file } = await store.read(`${FOLDER}0/0-2.jsonl.zst`);
    assert.equal(size, file.length + (await store.read(`${FOLDER}1/0-0.jsonl.zst`)).bytes.length);
    // Bit 2 of the frame's descriptor: it has a checksum. Source: RFC 8878, 3.1.1.1.1.
    assert.equal((file[4] ?? 0) & 4, 4);
    assert.equal(
      zstdDecompressSync(file).toString(),
      `{"topic":"talk","partition":0,"offset":0,"timestamp_ms":1769904000123,"key":"k\\"1","headers":[{"key":"h","value":"1"},{"key":"h","value":null},{"key":null,"value":null,"value_base64":"/w=="}],"value":"{\\"a\\": 1.10,\\n\\"ü\\":\\"\u2028\\"}"}
{"topic":"talk","partition":0,"offset":1,"timestamp_ms":1700000000000,"key":null,"key_base64":"wA==","headers":[],"value":null,"value_base64":"Iv8="}
{"topic":"talk","partition":0,"offset":2,"timestamp_ms":1700000000000,"key":null,"headers":[],"value":null}
`,
    );
  });

  test('end with so many records or bytes, and go on where the last one ends', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(5));
    await consume(topic, { store, records: 2, most: 3 });
    assert.deepEqual(await landed(store), {
      '0/0-1.jsonl.zst': ['0', '1'],
      '0/2-3.jsonl.zst': ['2', '3'],
      '0/4-4.jsonl.zst': ['4'],
    });
    topic.add(0, { value: 'x'.repeat(250) }, ...numbered(3));
    // A line has about 110 bytes, and one that is longer than a file is one by itself.
    const { next, files } = await consume(topic, { store, bytes: 230 });
    assert.deepEqual([next, files], [['9'], 3]);
    assert.deepEqual(Object.keys(await landed(store)).slice(3), [
      '0/5-5.jsonl.zst',
      '0/6-7.jsonl.zst',
      '0/8-8.jsonl.zst',
    ]);
    assert.deepEqual((await consume(topic, { store })).files, 0);
  });

  test('end by their age, also when nothing comes, and take in offsets that have no record', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.partitions[0] = { start: 7n, end: 7n, records: [] };
    topic.add(0, ...numbered(1));
    topic.skip(0, 2);
    const seen: number[] = [];
    await consume(topic, { store, idleMs: 30_000, onLanded: () => seen.push(topic.time) });
    assert.deepEqual(Object.keys(await landed(store)), ['0/7-9.jsonl.zst']);
    assert.ok((seen[0] ?? 0) >= 5_000 && (seen[0] ?? 0) < 6_000, String(seen));
    assert.ok(topic.time >= 30_000 && topic.time < 32_000);
    // What follows the last record is read past, and no file by itself.
    topic.skip(0, 3);
    assert.deepEqual(await consume(topic, { store }), { files: 0, records: 0, bytes: 0, next: ['10'] });
    topic.add(0, ...numbered(1));
    await consume(topic, { store });
    assert.deepEqual(Object.keys(await landed(store)), ['0/10-13.jsonl.zst', '0/7-9.jsonl.zst']);
  });

  test('are landed before their time when the consumer ends', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(1));
    const interrupted = new AbortController();
    const timer = { ...topic.reader(), read: topic.reader().read };
    const read: typeof timer.read = async (from, ms) => {
      const slices = await timer.read(from, ms);
      interrupted.abort();
      return slices;
    };
    const deps = { store, reader: { ...timer, read }, clock: topic.clock, wait: async () => {} };
    const settings = { ...CUTS, all: true, skipLost: false };
    assert.equal((await consumeTopic(deps, PLACE, settings, { interrupted: interrupted.signal })).files, 1);
    topic.add(0, ...numbered(1));
    assert.equal((await consumeTopic({ ...deps, reader: timer }, PLACE, { ...settings, limitMs: 400 })).files, 1);
    assert.deepEqual(await landed(store), { '0/0-0.jsonl.zst': ['0'], '0/1-1.jsonl.zst': ['0'] });
  });

  test('are all landed however long one takes, and the time for which nothing came begins after it', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(6));
    const slow: ObjectStore = {
      ...store,
      async write(key, bytes, condition) {
        topic.time += 2_000;
        return store.write(key, bytes, condition);
      },
    };
    assert.deepEqual((await consume(topic, { store: slow, records: 2, most: 2 })).next, ['6']);
  });

  test('of partitions that come later are landed too', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(1));
    const onLanded = (): void => {
      if (topic.partitions.length === 1) topic.add(1, ...numbered(1));
    };
    const { next } = await consume(topic, { store, onLanded, idleMs: 40_000 });
    assert.deepEqual(next, ['1', '1']);
  });
});

describe('a consumer that dies', () => {
  const dies = (store: ObjectStore, where: RegExp, after: boolean): ObjectStore => ({
    ...store,
    async write(key, bytes, condition) {
      if (where.test(key) && !after) throw new Error('killed');
      const outcome = await store.write(key, bytes, condition);
      if (where.test(key)) throw new Error('killed');
      return outcome;
    },
  });

  for (const [name, where, after] of [
    ['before it claims', /^ops/, false],
    ['after it has claimed', /^ops/, true],
    ['before it writes', /^bronze/, false],
    ['after it has written', /^bronze/, true],
  ] as const) {
    test(`${name} leaves nothing that is lost or landed twice, whatever comes meanwhile`, async () => {
      const [topic, store] = [createMemoryTopic(), storeOf()];
      topic.add(0, ...numbered(3));
      await assert.rejects(consume(topic, { store: dies(store, where, after) }), /killed/);
      topic.add(0, ...numbered(3, 3));
      // With and without a look at all files.
      for (const all of [false, true]) await consume(topic, { store, all });
      assert.deepEqual(Object.values(await landed(store)).flat(), ['0', '1', '2', '3', '4', '5']);
      const whole = name === 'before it claims' ? ['0/0-5.jsonl.zst'] : ['0/0-2.jsonl.zst', '0/3-5.jsonl.zst'];
      assert.deepEqual(Object.keys(await landed(store)), whole);
    });
  }

  test('after a claim, of which the topic has nothing any more, is told', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(3));
    await assert.rejects(consume(topic, { store: dies(store, /^bronze/, false) }), /killed/);
    Object.assign(topic.partitions[0] ?? {}, { end: 2n });
    await assert.rejects(consume(topic, { store }), /has shrunk: got offsets up to 1; expected 2 and more/);
  });

  test('after a claim, of which the topic has lost some or all since, keeps nobody from going on without those', async () => {
    for (const [start, rest, files] of [
      [1n, 'offsets 0 to 0', { '0/0-2.jsonl.zst': ['1', '2'], '0/3-3.jsonl.zst': ['3'] }],
      [3n, 'offsets 0 to 2', { '0/0-2.jsonl.zst': [], '0/3-3.jsonl.zst': ['3'] }],
      [5n, 'offsets 0 to 2', { '0/0-2.jsonl.zst': [], '0/3-4.jsonl.zst': [], '0/5-5.jsonl.zst': ['5'] }],
    ] as const) {
      const [topic, store] = [createMemoryTopic(), storeOf()];
      topic.add(0, ...numbered(3));
      await assert.rejects(consume(topic, { store: dies(store, /^bronze/, false) }), /killed/);
      topic.add(0, ...numbered(start === 5n ? 3 : 1, 3));
      const [partition] = topic.partitions;
      const left = partition?.records.filter(({ offset }) => offset >= start) ?? [];
      Object.assign(partition ?? {}, { start, records: left });
      await assert.rejects(consume(topic, { store }), new RegExp(`has lost ${rest} before they were landed`));
      await consume(topic, { store, skipLost: true });
      assert.deepEqual(await landed(store), files);
    }
  });
});

describe('of several consumers', () => {
  test('one lands what comes next, and another leaves him the partition until he lands nothing more', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(2));
    const other = await consume(topic, { store, records: 1 });
    assert.deepEqual(other.next, ['2']);
    topic.add(0, ...numbered(2, 2));
    // Just as the second wants to claim, the first does: once, twice, and never again.
    let rounds = 0;
    const meanwhile: ObjectStore = {
      ...store,
      async write(key, bytes, condition) {
        if (key.startsWith('ops') && rounds < 2) {
          rounds += 1;
          topic.add(0, ...numbered(1, 100 * rounds));
          await consume(topic, { store, all: false, idleMs: 1 });
        }
        return store.write(key, bytes, condition);
      },
    };
    topic.time = 0;
    const { files, records } = await consume(topic, { store: meanwhile, ageMs: 2_000, idleMs: 5_000 });
    const all = Object.values(await landed(store)).flat();
    assert.deepEqual([all.length, new Set(all).size], [5, 5]);
    assert.deepEqual([files, records], [0, 0]);
  });
});

describe('a topic that is not what it was', () => {
  async function landedOnce(): Promise<[MemoryTopic, ObjectStore]> {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(3));
    await consume(topic, { store });
    return [topic, store];
  }

  test('is refused when it was made anew, also while it is read', async () => {
    const [topic, store] = await landedOnce();
    topic.id = 'id-2';
    await assert.rejects(consume(topic, { store }), (error: Error) => {
      assert.ok(error instanceof InvalidInput);
      assert.match(
        error.message,
        /the topic talk was made anew: got id id-2; expected id-1, .*give the new topic a source of its own/,
      );
      return true;
    });
    topic.id = 'id-1';
    const onLanded = (): void => {
      topic.id = 'id-2';
    };
    topic.add(0, ...numbered(1));
    await assert.rejects(consume(topic, { store, onLanded, idleMs: 60_000 }), /made anew/);
  });

  test('is refused when it has shrunk, or has lost what was not landed', async () => {
    const [topic, store] = await landedOnce();
    Object.assign(topic.partitions[0] ?? {}, { end: 2n });
    await assert.rejects(
      consume(topic, { store }),
      /has shrunk: got offsets up to 1; expected 2 and more, .*under another name/,
    );
    topic.partitions[0] = { start: 5n, end: 5n, records: [] };
    topic.add(0, ...numbered(2, 5));
    await assert.rejects(
      consume(topic, { store }),
      /has lost offsets 3 to 4 before they were landed: .*strata consume hr messages --skip-lost/,
    );
    await consume(topic, { store, skipLost: true });
    assert.deepEqual(await landed(store), {
      '0/0-2.jsonl.zst': ['0', '1', '2'],
      // Nothing, in its place: the files have no gap.
      '0/3-4.jsonl.zst': [],
      '0/5-6.jsonl.zst': ['5', '6'],
    });
    assert.equal((await consume(topic, { store })).files, 0);
  });

  test('is read again after passing faults, and given up after many', async () => {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(3));
    topic.failures.push(...Array.from({ length: 4 }, () => new Unavailable('gone')));
    const said: string[] = [];
    await consume(topic, { store, onRetry: ({ message }) => said.push(message) });
    assert.deepEqual([said.length, await landed(store)], [4, { '0/0-2.jsonl.zst': ['0', '1', '2'] }]);
    topic.failures.push(...Array.from({ length: 5 }, () => new Unavailable('gone')));
    await assert.rejects(consume(topic, { store }), Unavailable);
    topic.failures.splice(0, 9, new TypeError('a fault'));
    await assert.rejects(consume(topic, { store }), TypeError);
  });
});

describe('files that are not as they were landed', () => {
  const name = (range: string): string => `${FOLDER}0/${range}.jsonl.zst`;
  async function landedThrice(): Promise<[MemoryTopic, ObjectStore]> {
    const [topic, store] = [createMemoryTopic(), storeOf()];
    topic.add(0, ...numbered(12));
    await consume(topic, { store, records: 4 });
    return [topic, store];
  }

  test('are told where offsets are missing or there twice; other names are passed over', async () => {
    const [topic, store] = await landedThrice();
    for (const odd of ['notes.txt', `${name('4-7')}.bak`, name('05-7'), name('7-4')]) {
      await store.write(odd.includes('/') ? odd : `${FOLDER}0/${odd}`, new Uint8Array([1]), { kind: 'any' });
    }
    assert.equal((await consume(topic, { store })).files, 0);
    await store.remove(name('4-7'));
    await assert.rejects(
      consume(topic, { store }),
      /files of bronze\/hr\/messages\/talk\/0\/ have no offsets 4 to 7, between 0-3\.jsonl\.zst and 8-11\.jsonl\.zst: .*put what is missing back/,
    );
    await store.write(name('2-7'), new Uint8Array([1]), { kind: 'any' });
    await assert.rejects(consume(topic, { store }), /have offset 2 twice, between 0-3\.jsonl\.zst and 2-7\.jsonl\.zst/);
  });

  test('are landed again when the last of them, or all, have gone', async () => {
    const [topic, store] = await landedThrice();
    await store.remove(name('8-11'));
    await consume(topic, { store });
    assert.deepEqual(Object.keys(await landed(store)), ['0/0-3.jsonl.zst', '0/4-7.jsonl.zst', '0/8-11.jsonl.zst']);
    await store.remove(name('8-11'));
    await store.remove(name('4-7'));
    await consume(topic, { store, all: false });
    assert.deepEqual(Object.keys(await landed(store)), ['0/0-3.jsonl.zst', '0/4-11.jsonl.zst']);
    for (const range of ['0-3', '4-11']) await store.remove(name(range));
    await consume(topic, { store });
    assert.deepEqual(Object.keys(await landed(store)), ['0/0-11.jsonl.zst']);
  });

  test('without a claim are gone on from; a claim that is none is told', async () => {
    const [topic, store] = await landedThrice();
    const key = claimKey('hr', 'messages', 'talk', 0);
    await store.remove(key);
    topic.add(0, ...numbered(1, 12));
    assert.deepEqual((await consume(topic, { store, all: false })).next, ['13']);
    await store.write(key, new TextEncoder().encode('{}'), { kind: 'any' });
    await assert.rejects(
      consume(topic, { store }),
      /ops\/hr\/_topics\/messages\/talk\/0\.json is no claim of offsets: remove it/,
    );
  });
});
