import type { SessionOptions } from '../ports.ts';
import { attachOwn, detach, FIRST, listAttached } from '../sql/session.ts';
import { type Instance, openInstance } from './instance.ts';

/** What a session works on. `end`: `whole` is false where a statement of it failed or was cut short. */
export type Lease = Pick<Instance, 'connection' | 'spill'> & { end(whole: boolean): Promise<void> };

/** The database that a session in an instance of several has for its own. */
const OWN = '__session';

/**
 * Instances that take in one session after another, never two at once. Each session has a connection and an attached database of
 * its own, which are gone with it, and settings are locked: the next one finds nothing of it. An instance whose session may have
 * left more, by a failure or by settings that are not locked, ends with it. One waits at most, with the memory it gave back.
 */
export function createLeases(): (options: SessionOptions) => Promise<Lease> {
  let idle: { readonly key: string; readonly instance: Instance } | undefined;
  const take = (key: string): Instance | undefined => {
    if (idle?.key !== key) return undefined;
    const { instance } = idle;
    idle = undefined;
    return instance;
  };
  const keep = async (key: string, instance: Instance): Promise<void> => {
    const before = idle;
    idle = { key, instance };
    await before?.instance.close();
  };
  return async (options) => {
    // Settings of a profile are those of a connection, and of one session.
    if (options.folders === undefined || options.profile !== undefined) return leaseAlone(await openInstance(options));
    const key = keyOf(options);
    const instance = take(key) ?? (await openInstance(options));
    try {
      const connection = await instance.connect();
      for (const statement of attachOwn(OWN)) await connection.run(statement.text);
      const end = async (whole: boolean): Promise<void> => {
        connection.closeSync();
        if (whole && (await cleared(instance))) await keep(key, instance);
        else await instance.close();
      };
      return { connection, spill: instance.spill, end };
    } catch (cause) {
      await instance.close();
      throw cause;
    }
  };
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

/** Whether all that a session had attached could be let go, and nothing was made in the first database. */
async function cleared({ connection }: Instance): Promise<boolean> {
  try {
    const attached = await connection.runAndReadAll(listAttached().text);
    const names = attached.getRowsJS().map(([name]) => String(name));
    if (names.includes(FIRST)) return false;
    for (const name of names) await connection.run(detach(name).text);
    return true;
  } catch {
    return false;
  }
}
