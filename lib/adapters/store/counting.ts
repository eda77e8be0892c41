import { stat } from 'node:fs/promises';
import { type Area, objectName } from '../../core/objects.ts';
import type { Call } from '../../core/requests.ts';
import type { Borrowed, ObjectInfo, ObjectStore } from '../../ports.ts';

/**
 * A store that notes each call with what decides its price on S3, whatever is below it. Calls that fail are noted as the
 * ones that succeed; of a list that is left early, what was looked at.
 */
export function countingStore(store: ObjectStore, note: (call: Call) => void): ObjectStore {
  const names: ObjectStore['names'] = async (prefix, skipped) => {
    const found = await store.names(prefix, skipped);
    note({ kind: 'names', prefix, count: found.length });
    return found;
  };
  const { removeAll } = store;
  return {
    ...store,
    ...(removeAll === undefined ? {} : { removeAll: noting(note, removeAll) }),
    read(key) {
      note({ kind: 'read' });
      return store.read(key);
    },
    async readRange(object, start, end, etag) {
      const found = await store.readRange(object, start, end, etag);
      note({ kind: 'range', bytes: found.bytes.length });
      return found;
    },
    head(key, version) {
      note({ kind: 'head' });
      return store.head(key, version);
    },
    list: (prefix, options = {}) => countedList(store, note, prefix, options),
    names,
    // Files beside the folders are on the same pages.
    folders: async (prefix) => (await names(prefix)).flatMap((name) => (name.endsWith('/') ? [name.slice(0, -1)] : [])),
    write(key, bytes, condition) {
      note({ kind: 'write' });
      return store.write(key, bytes, condition);
    },
    remove(key) {
      note({ kind: 'remove' });
      return store.remove(key);
    },
    async borrow(objects) {
      const borrowed = await store.borrow(objects);
      await noteLent(objects, borrowed, note);
      return borrowed;
    },
    async borrowParts(objects) {
      const borrowed = await store.borrowParts(objects);
      for (const { ranges } of objects) {
        for (const { start, end } of ranges) note({ kind: 'range', bytes: end - start });
      }
      return borrowed;
    },
    async publish(path, key) {
      const bytes = await sizeOf(path);
      note(bytes === undefined ? { kind: 'publish' } : { kind: 'publish', bytes });
      return store.publish(path, key);
    },
  };
}

function noting(
  note: (call: Call) => void,
  removeAll: NonNullable<ObjectStore['removeAll']>,
): NonNullable<ObjectStore['removeAll']> {
  return (keys) => {
    note({ kind: 'remove-all', zones: new Set(keys.map((key) => key.split('/', 1)[0])).size });
    return removeAll(keys);
  };
}

async function* countedList(
  store: ObjectStore,
  note: (call: Call) => void,
  prefix: string,
  options: NonNullable<Parameters<ObjectStore['list']>[1]>,
): AsyncIterable<ObjectInfo> {
  const seen: { [area in Area]?: number } = {};
  const look = (key: string): void => {
    const area = key.slice(0, key.indexOf('/')) as Area;
    seen[area] = (seen[area] ?? 0) + 1;
  };
  const ignore = (key: string): boolean => {
    const ignored = options.ignore?.(key) ?? false;
    // A folder is no name on a page of a list.
    if (ignored && !key.endsWith('/')) look(key);
    return ignored;
  };
  try {
    for await (const info of store.list(prefix, { ...options, ignore })) {
      look(info.key);
      yield info;
    }
  } finally {
    note({ kind: 'list', prefix, seen });
  }
}

async function noteLent(
  objects: Parameters<ObjectStore['borrow']>[0],
  { paths }: Borrowed,
  note: (call: Call) => void,
): Promise<void> {
  for (const name of new Set(objects.map((object) => (typeof object === 'string' ? object : objectName(object))))) {
    const path = paths.get(name);
    const bytes = path === undefined ? undefined : await sizeOf(path);
    note(bytes === undefined ? { kind: 'borrow' } : { kind: 'borrow', bytes });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
