import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { Crash } from '../ports/faults.ts';
import { createStoredSink } from '../ports/memory-sink.ts';
import { counting, type TestLake } from './test-lake.ts';

const CODEC = { parse: parseMetadata, render: renderMetadata };

/** The lake on a process that ends instead of making its n-th change, of its sink too, if it has one (`createStoredSink`); counts the changes it was asked for, and knows their keys. */
export function dying(
  lake: TestLake,
  before: number,
): { readonly lake: TestLake; readonly changes: () => number; readonly keys: readonly string[] } {
  const keys: string[] = [];
  const change = async <T>(key: string, effect: () => Promise<T>): Promise<T> => {
    keys.push(key);
    if (keys.length >= before) throw new Crash('the process ended');
    return effect();
  };
  const reopened = lake.reopen((deps) => {
    const store: ObjectStore = {
      ...deps.store,
      write: (key, bytes, condition) => change(key, () => deps.store.write(key, bytes, condition)),
      publish: (path, key) => change(key, () => deps.store.publish(path, key)),
      remove: (key) => change(key, () => deps.store.remove(key)),
    };
    const sink = deps.sink && { sink: () => createStoredSink(store) };
    return { ...deps, store, catalog: createFileCatalog(store, CODEC), ...sink };
  });
  return { lake: reopened, changes: () => keys.length, keys };
}

/** Six hours on, and ids that no process before comes to. */
const LATER = Date.parse('2026-01-01T06:00:00Z') / 1000;
const FRESH = 500_000;

/**
 * The lake as the next process finds it: whoever held anything is gone. With `afresh` it counts time and ids from values
 * of its own, so that it does the same whenever the one before ended: what it asks the engine is remembered.
 */
export function successor(lake: TestLake, { afresh = false } = {}): TestLake {
  return lake.reopen((deps) => ({
    ...deps,
    ...(afresh ? counting(LATER, FRESH) : {}),
    ...(deps.sink && { sink: () => createStoredSink(deps.store) }),
    isGone: () => true,
    settings: { ...deps.settings, holder: () => 'test-2' },
  }));
}
