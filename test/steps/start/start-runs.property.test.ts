import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { type Upload, uploadId } from '../../../lib/core/trigger.ts';
import { startRuns } from '../../../lib/steps/start/start-runs.ts';
import { Crash, type Fault, type StoreOperation, withStoreFaults } from '../../ports/faults.ts';

const UPLOADS: readonly Upload[] = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
  key: `bronze/shop/orders/${name}.csv`,
  etag: name,
  version: name,
}));

/** Where a delivery dies or is hindered. */
type Hitch =
  | { readonly at: 'never' }
  | { readonly at: 'marker'; readonly call: number; readonly kind: Fault<StoreOperation>['kind'] }
  | { readonly at: 'before start' }
  | { readonly at: 'after start' }
  | { readonly at: 'books' };

type Delivery = { readonly uploads: readonly Upload[]; readonly hitch: Hitch };

const hitches: fc.Arbitrary<Hitch> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Hitch>({ at: 'never' }) },
  fc.record({
    at: fc.constant('marker' as const),
    call: fc.integer({ min: 1, max: 4 }),
    kind: fc.constantFrom('crash-before', 'crash-after', 'unavailable-before', 'unavailable-after'),
  }) as fc.Arbitrary<Hitch>,
  fc.constantFrom<Hitch>({ at: 'before start' }, { at: 'after start' }, { at: 'books' }),
);

const deliveries: fc.Arbitrary<readonly Delivery[]> = fc.array(
  fc.record({ uploads: fc.array(fc.constantFrom(...UPLOADS), { minLength: 1, maxLength: 6 }), hitch: hitches }),
  { minLength: 1, maxLength: 12 },
);

function world() {
  const store = createMemoryStore();
  /** How often each name was really started, and by which delivery. */
  const begun: string[] = [];
  const taken = new Set<string>();
  const deliver = async ({ uploads, hitch }: Delivery): Promise<readonly string[]> => {
    const faults = hitch.at === 'marker' ? [{ operation: 'write', call: hitch.call, kind: hitch.kind } as const] : [];
    const { failed } = await startRuns(
      'shop',
      uploads.map((upload, at) => ({ message: String(at), upload })),
      {
        store: withStoreFaults(store, faults),
        executions: {
          async start(name) {
            if (hitch.at === 'before start') throw new Crash();
            const isNew = !taken.has(name);
            if (isNew) begun.push(name);
            taken.add(name);
            if (hitch.at === 'after start') throw new Crash();
            return isNew ? 'started' : 'exists';
          },
        },
        audit: {
          async append() {
            if (hitch.at === 'books') throw new Crash();
          },
        },
        clock: { now: () => new Date(0) },
        log: { info: () => {}, warn: () => {} },
      },
    );
    return failed;
  };
  const executionOf = async (upload: Upload): Promise<string> => {
    const { bytes } = await store.read(`ops/shop/_events/${uploadId(upload)}.json`);
    return (JSON.parse(new TextDecoder().decode(bytes)) as { execution: string }).execution;
  };
  return { begun, deliver, executionOf };
}

/** Messages that the queue would not bring again: those of a call that ended, without those that it named. */
async function acknowledged(answer: Promise<readonly string[]>, { uploads }: Delivery): Promise<readonly Upload[]> {
  try {
    const failed = await answer;
    return uploads.filter((_, at) => !failed.includes(String(at)));
  } catch (cause) {
    if (!(cause instanceof Crash)) throw cause;
    return [];
  }
}

test('whatever is delivered, however often and wherever it dies: no upload is lost and none begins two executions', async () => {
  await fc.assert(
    fc.asyncProperty(deliveries, async (all) => {
      const { begun, deliver, executionOf } = world();
      const done = new Set<Upload>();
      for (const delivery of all) {
        const before = begun.length;
        const allDone = delivery.uploads.every((upload) => done.has(upload));
        for (const upload of await acknowledged(deliver(delivery), delivery)) done.add(upload);
        // What was dealt with before begins nothing when it comes again.
        if (allDone) assert.equal(begun.length, before);
        for (const upload of done) assert.ok(begun.includes(await executionOf(upload)), `${upload.key} has no run`);
        assert.ok(begun.length <= before + delivery.uploads.length);
      }
      // The queue brings everything again until it was dealt with.
      for (const { uploads } of all) assert.deepEqual(await deliver({ uploads, hitch: { at: 'never' } }), []);
      const settled = begun.length;
      for (const { uploads } of all) {
        await deliver({ uploads, hitch: { at: 'never' } });
        for (const upload of uploads) assert.ok(begun.includes(await executionOf(upload)));
      }
      assert.equal(begun.length, settled);
      assert.equal(new Set(begun).size, begun.length);
      assert.ok(begun.length <= all.length);
    }),
    { numRuns: 300 },
  );
});
