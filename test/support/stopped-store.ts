import type { ObjectStore } from '../../lib/ports.ts';

/** A store whose user stands still at one of its operations, as a process does that was stopped there. */
export type StoppedStore = {
  readonly store: ObjectStore;
  /** Resolves once the user stands still. */
  readonly reached: Promise<void>;
  /** Lets it go on. Before it stands still: it never will. */
  release(): void;
  /** How many operations were asked for so far. */
  operations(): number;
};

/**
 * Stops right before the effect of the n-th operation (from 1), or right after it, before the answer is known. All
 * operations count, those of a file catalog over the store among them. With `about` only those on keys that it accepts.
 */
export function stoppedStore(
  store: ObjectStore,
  n: number,
  when: 'before' | 'after' = 'before',
  about: (operation: string, key: string) => boolean = () => true,
): StoppedStore {
  let operations = 0;
  let arrive = (): void => {};
  let release = (): void => {};
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const gate = async <T>(operation: string, key: string, effect: () => Promise<T>): Promise<T> => {
    if (!about(operation, key)) return effect();
    operations += 1;
    if (operations !== n) return effect();
    const early = when === 'after' ? await effect().then((value) => ({ value })) : undefined;
    arrive();
    await released;
    return early === undefined ? effect() : early.value;
  };
  return {
    reached,
    release,
    operations: () => operations,
    store: {
      ...store,
      read: (key) => gate('read', key, () => store.read(key)),
      head: (key, version) => gate('head', key, () => store.head(key, version)),
      async *list(prefix) {
        await gate('list', prefix, async () => {});
        yield* store.list(prefix);
      },
      folders: (prefix) => gate('folders', prefix, () => store.folders(prefix)),
      write: (key, bytes, condition) => gate('write', key, () => store.write(key, bytes, condition)),
      remove: (key) => gate('remove', key, () => store.remove(key)),
      borrow: (objects) => gate('borrow', '', () => store.borrow(objects)),
      borrowParts: (objects) => gate('borrow', '', () => store.borrowParts(objects)),
      publish: (path, key) => gate('publish', key, () => store.publish(path, key)),
    },
  };
}
