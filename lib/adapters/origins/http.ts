import type { HttpOrigin } from '../../core/origins.ts';
import type { Lander, ObjectStore } from '../../ports.ts';
import { fetchList, type HttpDeps } from './http-pages.ts';
import { landSnapshot } from './snapshots.ts';

/** Lands all pages of a list as one file. */
export function createHttpLander(origin: HttpOrigin, deps: HttpDeps & { readonly store: ObjectStore }): Lander {
  return {
    async land(prefix) {
      const at = deps.now();
      return landSnapshot(deps.store, prefix, { ...(await fetchList(origin, deps)), at });
    },
  };
}
