import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { InvalidInput, Unavailable } from '../../lib/core/errors.ts';
import { csv } from '../../lib/define/index.ts';
import { MOST_UNTOLD, tellWaiting, untoldFolder } from '../../lib/lake/lineage/untold.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { apart } from '../../lib/runtime/apart.ts';
import { lineageOf } from '../../lib/runtime/lineage/teller.ts';
import { wrongByStandard } from '../report/openlineage-standard.ts';
import { openTestLake } from '../support/test-lake.ts';

type Told = { readonly eventType: string; readonly job: { readonly namespace: string; readonly name: string } };

/** Where events are posted to; answers as `status` says. */
async function listen() {
  const told: Told[] = [];
  const collector = { status: 201, told, keys: new Set<string | undefined>(), url: '' };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      collector.keys.add(request.headers.authorization);
      if (collector.status < 300) told.push(JSON.parse(Buffer.concat(parts).toString('utf8')) as Told);
      response.writeHead(collector.status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return collector;
}

async function keysBelow(store: ObjectStore, folder: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(folder)) keys.push(key);
  return keys.sort();
}

test('each run tells its collector what it did, the failed too, and one that could not be told is told with the next', async () => {
  const collector = await listen();
  const lake = await openTestLake({
    name: 'shop',
    definition: {
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int', amount: 'int' } }) },
      silver: { orders: { from: 'orders', expect: { paid: 'amount > 0' } } },
      openlineage: { to: collector.url, key: { secret: 'LINEAGE_KEY' }, namespace: 'lake' },
    },
  });
  after(() => lake.close());
  assert.equal(apart(await lake.deps.specs('shop')).openlineage, undefined);
  const warned: string[] = [];
  let secret: string | undefined;
  const { run, land } = lake.reopen((deps) => ({
    ...deps,
    ...lineageOf(deps.store),
    secret: async () => secret,
    log: { info: () => {}, warn: (event, fields) => void warned.push(`${event}: ${fields?.['cause']}`) },
  }));
  const waiting = () => keysBelow(lake.store, untoldFolder('shop'));

  await land('orders', 'a.csv', 'id,amount\n1,5\n');
  assert.equal((await run({ runId: 'r1' })).status, 'SUCCEEDED');
  assert.deepEqual([collector.told, (await waiting()).length], [[], 1]);
  assert.match(warned.at(-1) ?? '', /wait for the next run: openlineage: no secret LINEAGE_KEY here/);

  secret = 'k';
  collector.status = 503;
  await land('orders', 'b.csv', 'id,amount\n2,7\n');
  assert.equal((await run({ runId: 'r2' })).status, 'SUCCEEDED');
  assert.match(warned.at(-1) ?? '', /wait for the next run: http:\/\/127\.0\.0\.1:\d+ answered 503$/);
  assert.equal((await waiting()).length, 2);

  collector.status = 201;
  await land('orders', 'c.csv', 'id,amount\n3,-1\n');
  assert.equal((await run({ runId: 'r3' })).status, 'FAILED');
  assert.deepEqual(
    collector.told.map(({ eventType, job }) => `${eventType} ${job.namespace}/${job.name}`),
    ['COMPLETE', 'COMPLETE', 'FAIL'].flatMap((end) => [
      'START lake/shop',
      'START lake/shop.silver.orders',
      `${end} lake/shop.silver.orders`,
      `${end} lake/shop`,
    ]),
  );
  assert.deepEqual([await waiting(), collector.keys], [[], new Set(['Bearer k'])]);
  assert.deepEqual(wrongByStandard(collector.told), []);
});

describe('events that wait', () => {
  const NOW = new Date('2026-01-01T00:00:00Z');

  async function waitingLake(names: readonly string[]) {
    const store = createMemoryStore();
    for (const name of names) {
      const bytes = new TextEncoder().encode(name === 'torn' ? '{' : JSON.stringify([{ name }]));
      await store.write(`${untoldFolder('shop')}${name}`, bytes, { kind: 'any' });
    }
    const warned: string[] = [];
    const told: unknown[] = [];
    const times = [NOW];
    const deps = {
      store,
      clock: { now: () => times.shift() ?? NOW },
      log: { info: () => {}, warn: (event: string) => void warned.push(event) },
    };
    const tell = (refuse: (name: unknown) => Error | undefined) =>
      tellWaiting(deps, 'shop', async () => async (events) => {
        const failure = refuse(events[0]?.['name']);
        if (failure !== undefined) throw failure;
        told.push(events[0]?.['name']);
      });
    const left = async () => (await keysBelow(store, '')).map((key) => key.slice(untoldFolder('shop').length));
    return { store, tell, left, warned, told, times };
  }

  test('are given up where they are refused and others are not', async () => {
    const { tell, left, warned, told } = await waitingLake(['a', 'b', 'c', 'torn']);
    await tell((name) => (name === 'b' ? new InvalidInput('no') : undefined));
    assert.deepEqual([told, await left()], [['a', 'c'], []]);
    assert.deepEqual(warned, ['events of a run are refused and given up']);
  });

  test('stay where all are refused, of which a few are enough to see it', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const { tell, left, warned } = await waitingLake(names);
    const asked: unknown[] = [];
    await tell((name) => {
      asked.push(name);
      return new InvalidInput('no key');
    });
    assert.deepEqual([asked, await left()], [[...names.slice(0, 5), 'f'], names]);
    assert.deepEqual(new Set(warned), new Set(['events of a run are refused']));
  });

  test('do not stand for ever in the way of those of later runs', async () => {
    const { tell, left, told } = await waitingLake(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    await tell((name) => (String(name) < 'f' ? new InvalidInput('no') : undefined));
    assert.deepEqual([told, await left()], [['g'], ['f']]);
  });

  test('stay where all are refused but of an object that has none, or that another has told', async () => {
    const { tell, left } = await waitingLake(['a', 'b', 'torn']);
    await tell((name) => (name === undefined ? undefined : new InvalidInput('no key')));
    assert.deepEqual(await left(), ['a', 'b']);
  });

  test('of a long run are told one after the other until it has taken long, and the others with the next', async () => {
    const slow = await waitingLake([]);
    const key = `${untoldFolder('shop')}r.json`;
    await slow.store.write(key, new TextEncoder().encode('[{"name":1},{"name":2},{"name":3}]'), { kind: 'any' });
    slow.times.push(NOW, NOW, new Date(NOW.getTime() + 30_001));
    await slow.tell(() => undefined);
    assert.deepEqual([slow.told, await slow.left()], [[1, 2], ['r.json']]);
    await slow.tell((name) => (name === 3 ? new Unavailable('gone') : undefined));
    await slow.tell(() => undefined);
    assert.deepEqual([slow.told, await slow.left()], [[1, 2, 3], []]);
  });

  test('stay from the first on that finds nobody, and from when it has taken long', async () => {
    const down = await waitingLake(['a', 'b', 'c']);
    await down.tell((name) => (name === 'b' ? new Unavailable('gone') : undefined));
    assert.deepEqual([down.told, await down.left()], [['a'], ['b', 'c']]);
    const slow = await waitingLake(['a', 'b']);
    slow.times.push(NOW, new Date(NOW.getTime() + 30_001));
    await slow.tell(() => undefined);
    assert.deepEqual([slow.told, await slow.left()], [['a'], ['b']]);
  });

  test('are bounded: the oldest go', async () => {
    const names = Array.from({ length: MOST_UNTOLD + 2 }, (_, n) => String(10_000 + n));
    const { tell, left, warned } = await waitingLake(names);
    await tell(() => new Unavailable('gone'));
    assert.deepEqual(await left(), names.slice(2));
    assert.deepEqual(warned[0], 'events of runs are given up that nobody has taken');
  });
});
