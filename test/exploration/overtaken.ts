import type { ObjectStore } from '../../lib/ports.ts';
import { removeObjects } from '../../lib/table/remove-objects.ts';

/** A store that tells what a rule about its users needs. */
export type OvertakenRule = {
  /** The store as an actor asks it; `written` hears of every key that it asks to write. */
  asks(actor: string, store: ObjectStore, written?: (key: string) => void): ObjectStore;
  /** The store as it does what an actor has asked. */
  makes(actor: string, store: ObjectStore): ObjectStore;
};

const LOCK = /^ops\/[^/]+\/(maintenance-)?lock\.json$/;
/** What a commit writes on condition: a version of a table in the folder, or a table of Glue. */
const VERSION = /\/metadata\/v\d+\.metadata\.json$|^glue\//;
/** Metadata that Glue points to has a new name, and goes again where it does not come to be pointed to. */
const POINTED_TO = /\/metadata\/\d+-[^/]+\.metadata\.json$/;
const HINT = /\/metadata\/version-hint\.text$/;
/** Who has removed something notes it, also after it has given its locks back. */
const NOTES = /^ops\/[^/]+\/(runs|_maintenance)\//;

/**
 * One holder changes something per epoch (invariant 9): who has been overtaken decides for nothing more. What it had decided for
 * before may still come, and a commit that it was in, whose version is written on condition. Data files have new names and
 * are not looked at.
 */
export function overtakenRule(broken: (what: string) => void): OvertakenRule {
  /** By lock: who took it last. By actor and lock: that it was overtaken. */
  const holders = new Map<string, string>();
  const overtaken = new Set<string>();
  const versions = new Map<string, number>();
  const change = (actor: string, what: string, key: string): void => {
    if (!overtaken.has(actor) || LOCK.test(key) || HINT.test(key) || NOTES.test(key) || POINTED_TO.test(key)) return;
    if (VERSION.test(key)) {
      versions.set(actor, (versions.get(actor) ?? 0) + 1);
      if (versions.get(actor) === 1) return;
    }
    broken(`${actor} has been overtaken, and goes on to ${what} ${key}`);
  };
  return {
    asks: (actor, store, written = () => {}) => ({
      ...store,
      write(key, bytes, condition) {
        written(key);
        change(actor, 'write', key);
        return store.write(key, bytes, condition);
      },
      remove(key) {
        change(actor, 'remove', key);
        return store.remove(key);
      },
      removeAll(keys) {
        for (const key of keys) change(actor, 'remove', key);
        return removeObjects(store, keys);
      },
    }),
    makes: (actor, store) => ({
      ...store,
      async write(key, bytes, condition) {
        const outcome = await store.write(key, bytes, condition);
        if (outcome.kind === 'written' && LOCK.test(key)) {
          const { released } = JSON.parse(new TextDecoder().decode(bytes)) as { released?: true };
          const before = holders.get(key);
          if (before !== undefined && before !== actor) overtaken.add(before);
          if (released) holders.delete(key);
          else holders.set(key, actor);
        }
        return outcome;
      },
    }),
  };
}
