import { Unavailable } from '../../lib/core/errors.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { removeObjects } from '../../lib/table/remove-objects.ts';
import { Crash } from '../ports/faults.ts';
import { keyOf } from '../support/test-lake.ts';

/**
 * One thing that happens to an actor right before a call of the store: `n`-th of its calls with this text, such as
 * `write ops/shop/lock.json` (1 when left out). `pause`: another goes on. `late`: the same, after so much time that every
 * lease has ended and everything is old. `crash`: its process ends, and another goes on. `lost`: the call is made, and
 * its answer gets lost. `refused`: it is not made, and no repetition of it by this actor.
 */
export type Event = {
  readonly actor: string;
  readonly before: string;
  readonly n?: number;
  readonly what: 'pause' | 'late' | 'crash' | 'lost' | 'refused';
  /** Who goes on. */
  readonly next?: string;
};

/** Who begins, and what happens, in this order. In the end the first that has not ended goes on, and so forth. */
export type Schedule = { readonly first: string; readonly events: readonly Event[] };

/** A call of the store, as it was made. */
export type Call = {
  readonly actor: string;
  readonly text: string;
  readonly n: number;
  /** A key, or what keys begin with. */
  readonly keys: readonly string[];
  readonly changes: boolean;
};

/** What was done, in this order: calls, and at the end of each actor a mark. */
export type Trace = readonly (Call | { readonly actor: string; readonly ended: true })[];

export type Execution = {
  readonly trace: Trace;
  /** Actors that ended with an error, and their errors. */
  readonly failures: ReadonlyMap<string, unknown>;
  /** Of the events of the schedule that came, what had been done before each. */
  readonly reached: readonly number[];
};

/** What the schedule tells of while it is carried out. */
export type Watch = {
  /** Time passes. */
  readonly late: () => void;
  /** One stops or has ended, and another goes on. `waiting` calls of the one it had already decided for. */
  readonly switched: (from: string, waiting: number) => Promise<void>;
};

export type Actor = { readonly name: string; readonly act: () => Promise<void> };

export type Scheduler = {
  /** The store as an actor sees it: each call is made when it is its turn. */
  store(actor: string, inner: ObjectStore): ObjectStore;
  /** Whether its process was ended. */
  isGone(actor: string): boolean;
  run(actors: readonly Actor[]): Promise<Execution>;
};

type Known = {
  readonly name: string;
  /** Calls that it has asked for and that were not made. */
  waiting: number;
  readonly counts: Map<string, number>;
  readonly refused: Set<string>;
  /** Calls of one actor are made one after the other, in the order in which it asks for them. */
  tail: Promise<unknown>;
  state: 'new' | 'alive' | 'crashed';
  ended: boolean;
  /** Who goes on when its end has come. */
  heir: string | undefined;
};

/** Carries out one schedule: one actor at a time does anything, and goes on until it ends or something happens to it. */
export function createScheduler({ first, events }: Schedule, watch: Watch): Scheduler {
  const known = new Map<string, Known>();
  const trace: Trace[number][] = [];
  const failures = new Map<string, unknown>();
  const changed = createSignal();
  let active = first;
  const reached: number[] = [];

  const knownAs = (name: string): Known => {
    const found = known.get(name) ?? newlyKnown(name);
    known.set(name, found);
    return found;
  };
  const switchTo = async (from: Known, to: string): Promise<void> => {
    await watch.switched(from.name, from.waiting);
    active = to;
    changed.notify();
  };
  /** Lets happen what is to happen before a call, and answers once it is to be made. */
  const beforeCall = async (me: Known, text: string, n: number): Promise<'lost' | 'refused' | undefined> => {
    for (;;) {
      while (active !== me.name && me.state !== 'crashed') await changed.next();
      if (me.state === 'crashed') throw new Crash('the process ended');
      const event = events[reached.length];
      if (event?.actor !== me.name || !isBefore(event, text) || (event.n ?? 1) !== n) {
        return me.refused.has(text) ? 'refused' : undefined;
      }
      reached.push(trace.length);
      if (event.what === 'lost') return 'lost';
      if (event.what === 'refused') me.refused.add(text);
      if (event.what === 'late') watch.late();
      if (event.what === 'crash') {
        me.state = 'crashed';
        me.heir = event.next;
      } else if (event.what !== 'refused') await switchTo(me, event.next ?? active);
    }
  };
  const call = async <T>(name: string, about: About, effect: () => Promise<T>): Promise<T> => {
    const me = knownAs(name);
    me.waiting += 1;
    const made = me.tail.then(async () => {
      const n = (me.counts.get(about.text) ?? 0) + 1;
      me.counts.set(about.text, n);
      const happened = await beforeCall(me, about.text, n);
      me.waiting -= 1;
      if (happened === 'refused') throw new Unavailable(`refused: ${about.text}`);
      trace.push({ actor: name, n, ...about });
      const value = await effect();
      if (happened === 'lost') throw new Unavailable(`no answer to ${about.text}`);
      return value;
    });
    me.tail = made.catch(() => undefined);
    return made;
  };
  const begin = (me: Known, act: Actor['act']): void => {
    me.state = 'alive';
    const end = (): void => {
      me.ended = true;
      trace.push({ actor: me.name, ended: true });
      changed.notify();
    };
    act().then(end, (cause: unknown) => {
      if (me.state !== 'crashed') failures.set(me.name, cause);
      end();
    });
  };
  /** Who follows one that has ended: who is named, or else the first that is left. */
  const heirOf = (me: Known, left: readonly string[]): string | undefined => {
    const event = events[reached.length];
    if (event?.actor !== me.name || event.before !== 'end') return me.heir ?? left[0];
    reached.push(trace.length);
    return event.next;
  };

  return {
    isGone: (name) => known.get(name)?.state === 'crashed',
    store: (name, inner) => scheduledStore(inner, (about, effect) => call(name, about, effect)),
    async run(actors) {
      for (;;) {
        const act = actors.find(({ name }) => name === active)?.act;
        if (act === undefined) throw new Error(`no actor ${active}`);
        const me = knownAs(active);
        if (me.state === 'new') begin(me, act);
        while (active === me.name && !me.ended) await changed.next();
        if (active !== me.name) continue;
        const left = actors.map(({ name }) => name).filter((name) => !knownAs(name).ended);
        const heir = heirOf(me, left);
        await watch.switched(me.name, 0);
        const following = heir !== undefined && left.includes(heir) ? heir : left[0];
        if (following === undefined) return { trace, failures, reached };
        active = following;
        changed.notify();
      }
    },
  };
}

function newlyKnown(name: string): Known {
  return {
    name,
    waiting: 0,
    counts: new Map(),
    refused: new Set(),
    tail: Promise.resolve(),
    state: 'new',
    ended: false,
    heir: undefined,
  };
}

/** A `*` in an event stands for any text, such as a number in a name. */
function isBefore({ before }: Event, text: string): boolean {
  const [begin = '', ...ends] = before.split('*');
  const end = ends.at(-1);
  return end === undefined ? text === before : text.startsWith(begin) && text.endsWith(end);
}

type Signal = { readonly notify: () => void; readonly next: () => Promise<void> };

function createSignal(): Signal {
  let { promise, resolve } = Promise.withResolvers<void>();
  return {
    notify() {
      resolve();
      ({ promise, resolve } = Promise.withResolvers<void>());
    },
    next: () => promise,
  };
}

type About = Pick<Call, 'text' | 'keys' | 'changes'>;
type MakeCall = <T>(about: About, effect: () => Promise<T>) => Promise<T>;

function scheduledStore(inner: ObjectStore, call: MakeCall): ObjectStore {
  const about = (operation: string, key: string, changes = false): About => ({
    text: `${operation} ${key}`,
    keys: [key],
    changes,
  });
  return {
    read: (key) => call(about('read', key), () => inner.read(key)),
    readRange: (object, ...part) => call(about('read', keyOf(object)), () => inner.readRange(object, ...part)),
    head: (key, version) => call(about('head', key), () => inner.head(key, version)),
    async *list(prefix, options) {
      yield* await call(about('list', prefix), () => allOf(inner.list(prefix, options)));
    },
    folders: (prefix) => call(about('folders', prefix), () => inner.folders(prefix)),
    names: (prefix, skipped) => call(about('names', prefix), () => inner.names(prefix, skipped)),
    write: (key, bytes, condition) => call(about('write', key, true), () => inner.write(key, bytes, condition)),
    remove: (key) => call(about('remove', key, true), () => inner.remove(key)),
    // As S3 does it: one request.
    removeAll: (keys) =>
      call({ text: `remove ${keys.join(' ')}`, keys, changes: true }, () => removeObjects(inner, keys)),
    borrow(objects) {
      const keys = objects.map((object) => (typeof object === 'string' ? object : object.key));
      return call({ text: `borrow ${keys.join(' ')}`, keys, changes: false }, () => inner.borrow(objects));
    },
    borrowParts(parts) {
      const keys = parts.map(({ key }) => key);
      return call({ text: `borrow ${keys.join(' ')}`, keys, changes: false }, () => inner.borrowParts(parts));
    },
    publish: (path, key) => call(about('publish', key, true), () => inner.publish(path, key)),
    location: inner.location,
    key: inner.key,
  };
}

export async function allOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Whether the order of two calls matters. */
export function interfere(a: About, b: About): boolean {
  if (!a.changes && !b.changes) return false;
  return a.keys.some((one) => b.keys.some((other) => overlap(a, one, b, other)));
}

function overlap(a: About, one: string, b: About, other: string): boolean {
  return one === other || (isPrefix(a) && other.startsWith(one)) || (isPrefix(b) && one.startsWith(other));
}

function isPrefix({ text }: About): boolean {
  return /^(list|folders|names) /.test(text);
}
