import { CommitConflict, CommitStateUnknown, Unavailable } from '../../lib/core/errors.ts';
import type { Catalog, ObjectStore } from '../../lib/ports.ts';
import { keyOf } from '../support/test-lake.ts';

/**
 * One thing that goes wrong: at the n-th call (from 1) of an operation, counting only calls about keys or table names
 * that `about` accepts. `unavailable` fails before or after the effect, `crash` ends the "process" before or after it
 * (every later call crashes too), `conflict` answers a write or commit as if another had come first.
 */
export type Fault<Operation extends string> = {
  readonly operation: Operation;
  readonly call: number;
  readonly kind: 'unavailable-before' | 'unavailable-after' | 'crash-before' | 'crash-after' | 'conflict';
  readonly about?: (subject: string) => boolean;
};

export type StoreOperation = 'read' | 'head' | 'list' | 'folders' | 'write' | 'remove' | 'borrow' | 'publish';
export type CatalogOperation = 'load' | 'commit' | 'list' | 'drop';

/** The simulated end of the process. It is none of our errors, so nothing may handle it. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** A store on which the given faults happen; a second wrapper around the same store is the process that comes after. */
export function withStoreFaults(store: ObjectStore, faults: readonly Fault<StoreOperation>[]): ObjectStore {
  const run = faultyCalls(faults, (what) => new Unavailable(what));
  return {
    read: (key) => run('read', key, () => store.read(key)),
    readRange: (object, ...range) => run('read', keyOf(object), () => store.readRange(object, ...range)),
    head: (key) => run('head', key, () => store.head(key)),
    async *list(prefix, options) {
      await run('list', prefix, async () => {});
      yield* store.list(prefix, options);
    },
    folders: (prefix) => run('folders', prefix, () => store.folders(prefix)),
    names: (prefix) => run('folders', prefix, () => store.names(prefix)),
    write: (key, bytes, condition) =>
      run(
        'write',
        key,
        () => store.write(key, bytes, condition),
        () => ({ kind: 'conflict' }),
      ),
    remove: (key) => run('remove', key, () => store.remove(key)),
    borrow: (keys) => run('borrow', keys.join('\n'), () => store.borrow(keys)),
    borrowParts: (objects) => run('borrow', objects.map(({ key }) => key).join('\n'), () => store.borrowParts(objects)),
    publish: (path, key) => run('publish', key, () => store.publish(path, key)),
    location: (key) => store.location(key),
    key: (location) => store.key(location),
  };
}

/** A catalog on which the given faults happen; a commit whose answer is lost ends as CommitStateUnknown. */
export function withCatalogFaults(catalog: Catalog, faults: readonly Fault<CatalogOperation>[]): Catalog {
  const run = faultyCalls(faults, (what, operation) =>
    operation === 'commit' ? new CommitStateUnknown(what) : new Unavailable(what),
  );
  return {
    load: (id) => run('load', id.name, () => catalog.load(id)),
    commit: (id, base, next) =>
      run(
        'commit',
        id.name,
        () => catalog.commit(id, base, next),
        () => {
          throw new CommitConflict('injected: another commit came first');
        },
      ),
    list: (...of) => run('list', '', () => catalog.list(...of)),
    drop: (id) => run('drop', id.name, () => catalog.drop(id)),
    tombstone: (id) => catalog.tombstone(id),
  };
}

type Run<Operation> = <T>(
  operation: Operation,
  subject: string,
  effect: () => Promise<T>,
  conflict?: () => T,
) => Promise<T>;

function faultyCalls<Operation extends string>(
  faults: readonly Fault<Operation>[],
  lost: (what: string, operation: Operation) => Error,
): Run<Operation> {
  const calls = faults.map(() => 0);
  let crashed = false;
  const crash = (): never => {
    crashed = true;
    throw new Crash('injected: the process ended');
  };
  const due = (operation: Operation, subject: string): Fault<Operation> | undefined =>
    faults.filter((fault, at) => {
      if (fault.operation !== operation || fault.about?.(subject) === false) return false;
      calls[at] = (calls[at] ?? 0) + 1;
      return calls[at] === fault.call;
    })[0];

  return async (operation, subject, effect, conflict) => {
    if (crashed) crash();
    const fault = due(operation, subject);
    const what = `injected: ${operation} ${subject}`;
    switch (fault?.kind) {
      case undefined:
        return effect();
      case 'conflict':
        if (conflict === undefined) throw new Error(`${operation} has no conflicts`);
        return conflict();
      case 'unavailable-before':
        throw new Unavailable(what);
      case 'unavailable-after':
        await effect();
        throw lost(what, operation);
      case 'crash-before':
        return crash();
      case 'crash-after':
        await effect();
        return crash();
    }
  };
}
