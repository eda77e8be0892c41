import type { SessionOptions } from '../ports.ts';
import { attachOwn, detach, FIRST, listAttached } from '../sql/session.ts';
import { type Instance, openInstance } from './instance.ts';

/** What a session works on. `end`: `whole` is false where a statement of it failed or was cut short. */
export type Lease = Pick<Instance, 'connection' | 'spill'> & { end(whole: boolean): Promise<void> };

/** The database that a session in an instance of several has for its own; that of a later one beside it has a number. */
const OWN = '__session';

/** An instance, and the databases of the sessions that it has now. */
type Pool = {
  readonly key: string;
  readonly opened: Promise<Instance>;
  readonly own: Set<string>;
  /** It takes in no further session. */
  spoilt: boolean;
  /** Ends when what has ended in it is tidied up. */
  tidied: Promise<void>;
};

/**
 * Instances that take in one session after another, and several at once, which share their threads and memory. Each session has a
 * connection and an attached database of its own, which are gone with it, and settings are locked: no other finds anything of it.
 * An instance whose session may have left more, by a failure or by settings that are not locked, ends with the last that it has.
 * Sessions with the same settings have the same one, whichever others there are. One waits at most, with the memory it gave back.
 */
export function createLeases(): (options: SessionOptions) => Promise<Lease> {
  /** Those that take in further sessions, one for each kind of settings. */
  const pools = new Map<string, Pool>();
  const find = (options: SessionOptions): Pool => {
    const key = keyOf(options);
    const found = pools.get(key);
    if (found !== undefined) return found;
    const pool = {
      key,
      opened: openInstance(options),
      own: new Set<string>(),
      spoilt: false,
      tidied: Promise.resolve(),
    };
    pools.set(key, pool);
    return pool;
  };
  const drop = (pool: Pool): void => {
    if (pools.get(pool.key) === pool) pools.delete(pool.key);
  };
  const spoil = (pool: Pool): void => {
    pool.spoilt = true;
    drop(pool);
  };
  const closeIdle = async (but: Pool): Promise<void> => {
    const idle = [...pools.values()].filter((pool) => pool !== but && pool.own.size === 0);
    // At once, so that nobody takes one of them meanwhile.
    for (const pool of idle) drop(pool);
    await Promise.all(idle.map(close));
  };
  const leave = async (pool: Pool, own: string): Promise<void> => {
    pool.tidied = pool.tidied.then(async () => {
      if (!pool.spoilt && !(await cleared(await pool.opened, pool.own, own))) spoil(pool);
      pool.own.delete(own);
      if (pool.own.size > 0) return;
      if (pool.spoilt) await close(pool);
      else await closeIdle(pool);
    });
    await pool.tidied;
  };
  return async (options) => {
    // Settings of a profile are those of a connection, and of one session.
    if (options.folders === undefined || options.profile !== undefined) return leaseAlone(await openInstance(options));
    const pool = find(options);
    const own = nameIn(pool);
    await closeIdle(pool);
    try {
      const instance = await pool.opened;
      const connection = await instance.connect();
      for (const statement of attachOwn(own)) await connection.run(statement.text);
      const end = async (whole: boolean): Promise<void> => {
        connection.closeSync();
        if (!whole) spoil(pool);
        await leave(pool, own);
      };
      return { connection, spill: instance.spill, end };
    } catch (cause) {
      spoil(pool);
      await leave(pool, own);
      throw cause;
    }
  };
}

function nameIn({ own }: Pool): string {
  const names = [OWN, ...Array.from({ length: own.size }, (_, i) => `${OWN}_${i + 1}`)];
  const free = names.find((name) => !own.has(name)) ?? OWN;
  own.add(free);
  return free;
}

/** One that could not be opened has nothing to close. */
async function close({ opened }: Pool): Promise<void> {
  const instance = await opened.catch(() => undefined);
  await instance?.close();
}

/** Callers hand over more than what is settings of a database. */
function keyOf({ memoryBytes, threads, scratch, spillBytes, folders, guarded }: SessionOptions): string {
  return JSON.stringify([memoryBytes, threads, scratch, spillBytes, folders, guarded === true]);
}

/** A session in an instance that ends with it. */
export function leaseAlone({ connection, spill, close }: Instance): Lease {
  const end = async (): Promise<void> => {
    connection.closeSync();
    await close();
  };
  return { connection, spill, end };
}

/**
 * Whether all that a session had attached could be let go, and nothing was made in the first database. `all`: what sessions have.
 * Whose a database of another name is, nobody knows: it is let go by a session that is the only one.
 */
async function cleared({ connection }: Instance, all: ReadonlySet<string>, own: string): Promise<boolean> {
  try {
    const attached = await connection.runAndReadAll(listAttached().text);
    const names = attached.getRowsJS().map(([name]) => String(name));
    if (names.includes(FIRST)) return false;
    const others = names.filter((name) => !all.has(name));
    for (const name of all.size === 1 ? [own, ...others] : [own]) await connection.run(detach(name).text);
    return all.size === 1 || others.length === 0;
  } catch {
    return false;
  }
}
