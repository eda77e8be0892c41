import { existsSync, readdirSync } from 'node:fs';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { ObjectStore } from '../../lib/ports.ts';

/** The call of a store that a test lets fail. */
export class StoreFails extends Error {
  override readonly name = 'StoreFails';
}

export type CountedDeps = {
  readonly deps: StepDeps;
  /** Lets the n-th call of the store from now on fail, once. */
  failAt(call: number): void;
  /** Whether that call has come. */
  hasFailed(): boolean;
  /** What is open, lent or left in the scratch folder now. */
  held(): readonly string[];
};

/** A lake's dependencies that know which sessions, borrowed files and scratch folders have not been given back. */
export function countResources(given: StepDeps): CountedDeps {
  const open = new Map<object, string>();
  let left = Number.POSITIVE_INFINITY;
  const call = (what: string): void => {
    left -= 1;
    if (left === 0) throw new StoreFails(`injected: ${what}`);
  };
  const watch = <Resource extends AsyncDisposable>(what: string, resource: Resource): Resource => {
    const token = {};
    open.set(token, what);
    const dispose = async (): Promise<void> => {
      await resource[Symbol.asyncDispose]();
      open.delete(token);
    };
    return { ...resource, [Symbol.asyncDispose]: dispose };
  };
  const known = new Set(scratchOf(given));
  return {
    deps: {
      ...given,
      store: failing(given.store, call, watch),
      engine: { open: async (options) => watch('session', await given.engine.open(options)) },
    },
    failAt(n) {
      left = n;
    },
    hasFailed: () => left <= 0,
    // A memory store lends copies, each batch in a folder of its own, which `borrowed` tells of by name.
    held: () => [...open.values(), ...scratchOf(given).filter((name) => !known.has(name))],
  };
}

function scratchOf({ settings }: StepDeps): readonly string[] {
  return existsSync(settings.scratch) ? readdirSync(settings.scratch) : [];
}

function failing(
  store: ObjectStore,
  call: (what: string) => void,
  watch: <Resource extends AsyncDisposable>(what: string, resource: Resource) => Resource,
): ObjectStore {
  return {
    ...store,
    async read(key) {
      call(`read ${key}`);
      return store.read(key);
    },
    async head(key, version) {
      call(`head ${key}`);
      return store.head(key, version);
    },
    async *list(prefix, options) {
      call(`list ${prefix}`);
      yield* store.list(prefix, options);
    },
    async folders(prefix) {
      call(`folders ${prefix}`);
      return store.folders(prefix);
    },
    async names(prefix, skipped) {
      call(`names ${prefix}`);
      return store.names(prefix, skipped);
    },
    async write(key, bytes, condition) {
      call(`write ${key}`);
      return store.write(key, bytes, condition);
    },
    async remove(key) {
      call(`remove ${key}`);
      return store.remove(key);
    },
    async borrow(objects) {
      call('borrow');
      return watch('borrowed', await store.borrow(objects));
    },
    async borrowParts(objects) {
      call('borrow');
      return watch('borrowed', await store.borrowParts(objects));
    },
    async publish(path, key) {
      call(`publish ${key}`);
      return store.publish(path, key);
    },
  };
}
