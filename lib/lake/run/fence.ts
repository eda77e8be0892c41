import type { HeldRun } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';
import { removeObjects } from '../../table/remove-objects.ts';
import type { LockDeps, StepDeps } from '../deps.ts';
import { requireHeld } from './lock.ts';

/**
 * What the steps of a run work with: the store and the catalog change nothing once another run has taken the lock, and
 * throw LockHeld instead. Data files are published unasked: their names are new, and nobody knows of them before a
 * result or a commit names them.
 */
export function fenced<Deps extends LockDeps & Pick<StepDeps, 'catalog'>>(deps: Deps, run: HeldRun): Deps {
  const held = (): Promise<void> => requireHeld(deps, run);
  return {
    ...deps,
    store: fencedStore(deps, run),
    catalog: {
      ...deps.catalog,
      async commit(id, base, next) {
        await held();
        return deps.catalog.commit(id, base, next);
      },
      async drop(id) {
        await held();
        return deps.catalog.drop(id);
      },
    },
  };
}

/** The store of a run, see `fenced`. */
export function fencedStore(deps: LockDeps, run: HeldRun): ObjectStore {
  return {
    ...deps.store,
    async write(key, bytes, condition) {
      await requireHeld(deps, run);
      return deps.store.write(key, bytes, condition);
    },
    async remove(key) {
      await requireHeld(deps, run);
      return deps.store.remove(key);
    },
    async removeAll(keys) {
      await requireHeld(deps, run);
      return removeObjects(deps.store, keys);
    },
  };
}
