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
export function fenced<Deps extends LockDeps & Pick<StepDeps, 'catalog' | 'counting'>>(deps: Deps, run: HeldRun): Deps {
  const { counting } = deps;
  return {
    ...deps,
    ...fences(deps, run),
    // What the fence itself asks for is counted as well.
    ...(counting && {
      counting: () => {
        const own = counting();
        return { ...own, ...fences({ ...deps, ...own }, run) };
      },
    }),
  };
}

type Fenced = LockDeps & Pick<StepDeps, 'catalog'>;

function fences(deps: Fenced, run: HeldRun): Pick<StepDeps, 'store' | 'catalog'> {
  return { store: fencedStore(deps, run), catalog: fencedCatalog(deps, run) };
}

function fencedCatalog(deps: Fenced, run: HeldRun): StepDeps['catalog'] {
  return {
    ...deps.catalog,
    async commit(id, base, next) {
      await requireHeld(deps, run);
      return deps.catalog.commit(id, base, next);
    },
    async drop(id) {
      await requireHeld(deps, run);
      return deps.catalog.drop(id);
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
