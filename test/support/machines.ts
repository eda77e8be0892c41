import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { type StoppedStore, stoppedStore } from './stopped-store.ts';
import type { TestLake } from './test-lake.ts';

/** Several machines that work on one lake, none of which knows whether another still lives. */
export type Machines = {
  /** Lets time pass for all of them. */
  advance(ms: number): void;
  /** Another of them; it stands still at its n-th operation on the store, see `stoppedStore`. */
  start(name: string, n?: number, when?: 'before' | 'after'): Machine;
};

export type Machine = { readonly lake: TestLake } & Omit<StoppedStore, 'store'>;

/** The lease of a lock in these lakes, in milliseconds. */
export const LEASE_MS = 60_000;

/** Opens a test lake on several machines, with one clock that moves by a millisecond for each look. */
export function machinesOn(lake: TestLake): Machines {
  let now = Date.parse('2026-01-02T00:00:00Z');
  const clock = {
    now: () => {
      now += 1;
      return new Date(now);
    },
  };
  return {
    advance: (ms) => {
      now += ms;
    },
    start(name, n = Number.POSITIVE_INFINITY, when = 'before') {
      const { store, ...stop } = stoppedStore(lake.store, n, when);
      const opened = lake.reopen((deps) => ({
        ...deps,
        store,
        catalog: createFileCatalog(store, { parse: parseMetadata, render: renderMetadata }),
        clock,
        isGone: () => false,
        settings: { ...deps.settings, holder: () => name, leaseMs: LEASE_MS },
      }));
      return { lake: opened, ...stop };
    },
  };
}
