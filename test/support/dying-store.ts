import type { ObjectStore } from '../../lib/ports.ts';
import { Crash } from '../ports/faults.ts';

/** A store whose process ends when it is to make one change more than `last`; `changes` says how many it has made. */
export function dyingStore(
  store: ObjectStore,
  last: number,
): { readonly store: ObjectStore; readonly changes: () => number } {
  let changes = 0;
  const change = async <T>(effect: () => Promise<T>): Promise<T> => {
    if (changes >= last) throw new Crash('the process ended');
    changes += 1;
    return effect();
  };
  return {
    changes: () => changes,
    store: {
      ...store,
      write: (key, bytes, condition) => change(() => store.write(key, bytes, condition)),
      remove: (key) => change(() => store.remove(key)),
    },
  };
}
