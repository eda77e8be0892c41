import { statSync } from 'node:fs';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { Catalog, ObjectStore } from '../../lib/ports.ts';

/** What a run did, as a test sees it from outside: nothing here knows how the product counts. */
export type SeenRun = {
  transitions: number;
  calls: number;
  maps: number;
  /** Asked for by the steps themselves, by the step. */
  readonly asked: Map<string, Asked>;
};

export type Asked = { get: number; put: number; bytesIn: number; bytesOut: number };

/** States that are no functions. */
const NO_CALL = /^(Is|More|What|Done|Nothing)|Map$/;

/** Looks at what a lake's store and catalog are asked for while a function is at work, one at a time. */
export function watchRequests(): {
  readonly seen: SeenRun;
  readonly onEvent: (event: StateEvent) => void;
  readonly watch: (deps: StepDeps) => StepDeps;
} {
  const seen: SeenRun = { transitions: 0, calls: 0, maps: 0, asked: new Map() };
  let working: string | undefined;
  const add = (more: Partial<Asked>): void => {
    if (working === undefined) return;
    const { get, put, bytesIn, bytesOut } = seen.asked.get(working) ?? { get: 0, put: 0, bytesIn: 0, bytesOut: 0 };
    seen.asked.set(working, {
      get: get + (more.get ?? 0),
      put: put + (more.put ?? 0),
      bytesIn: bytesIn + (more.bytesIn ?? 0),
      bytesOut: bytesOut + (more.bytesOut ?? 0),
    });
  };
  return {
    seen,
    onEvent({ kind, state, within }) {
      if (within !== undefined) {
        // A step that is part of a call of another.
        if (kind === 'started') working = state;
        else if (kind === 'succeeded' || kind === 'failed') working = within;
      } else if (kind === 'entered') seen.transitions += 1;
      else if (kind === 'started' && state.endsWith('Map')) seen.maps += 1;
      else if (kind === 'started' && !NO_CALL.test(state)) {
        seen.calls += 1;
        working = state;
      } else if (kind === 'succeeded' || kind === 'failed') working = undefined;
    },
    watch: (deps) => ({ ...deps, store: watchStore(deps.store, add), catalog: watchCatalog(deps.catalog, add) }),
  };
}

/** Objects are below 16 MB, and lists below a page. */
function watchStore(store: ObjectStore, add: (more: Partial<Asked>) => void): ObjectStore {
  return {
    ...store,
    async read(key) {
      add({ get: 1 });
      return store.read(key);
    },
    async head(key, version) {
      add({ get: 1 });
      return store.head(key, version);
    },
    async *list(prefix, options) {
      add({ put: 1 });
      yield* store.list(prefix, options);
    },
    async names(prefix, skipped) {
      add({ put: 1 });
      return store.names(prefix, skipped);
    },
    async write(key, bytes, condition) {
      add({ put: 1 });
      return store.write(key, bytes, condition);
    },
    async borrow(objects) {
      const borrowed = await store.borrow(objects);
      for (const path of borrowed.paths.values()) add({ get: 1, bytesIn: statSync(path).size });
      return borrowed;
    },
    async readRange(key, start, end, etag) {
      const found = await store.readRange(key, start, end, etag);
      add({ get: 1, bytesIn: found.bytes.length });
      return found;
    },
    async borrowParts(objects) {
      for (const { start, end } of objects.flatMap(({ ranges }) => ranges)) add({ get: 1, bytesIn: end - start });
      return store.borrowParts(objects);
    },
    async publish(path, key) {
      const info = await store.publish(path, key);
      // S3 is asked what has become of it.
      add({ put: 1, get: 1, bytesOut: info.size });
      return info;
    },
  };
}

/** Glue's: a table is its metadata file. */
function watchCatalog(catalog: Catalog, add: (more: Partial<Asked>) => void): Catalog {
  return {
    ...catalog,
    async load(id) {
      const entry = await catalog.load(id);
      if (entry !== undefined) add({ get: 1 });
      return entry;
    },
    async commit(id, base, next) {
      add({ put: 1 });
      return catalog.commit(id, base, next);
    },
  };
}
