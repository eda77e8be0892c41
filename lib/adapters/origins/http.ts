import { createHash } from 'node:crypto';
import type { HttpOrigin } from '../../core/origins.ts';
import type { Lander, ObjectStore } from '../../ports.ts';
import { fetchList, type HttpDeps } from './http-pages.ts';
import { takeTurn } from './snapshots.ts';

/** Lands all pages of a list as one file. */
export function createHttpLander(origin: HttpOrigin, deps: HttpDeps & { readonly store: ObjectStore }): Lander {
  return {
    async land(prefix) {
      const { store } = deps;
      const at = deps.now();
      const turn = await takeTurn(store, prefix);
      const { text, records } = await fetchList(origin, deps);
      if (records === 0) return { files: [], records, nothing: 'empty' };
      const bytes = new TextEncoder().encode(text);
      const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
      return turn.land({ hash, at, ending: 'json' }, records, async (key) => {
        const { kind } = await store.write(key, bytes, { kind: 'absent' });
        return kind === 'written' ? bytes.length : undefined;
      });
    },
  };
}
