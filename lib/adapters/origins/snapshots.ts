import { createHash } from 'node:crypto';
import { Unavailable } from '../../core/errors.ts';
import type { LandedOrigin, ObjectStore } from '../../ports.ts';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Lands what an origin had at a time as one file that is created and never changed: `<day>/<time>-<hash of its content>.json`.
 * Nothing is landed where the latest such file has the same content, so that who is started again after his death lands
 * nothing twice.
 */
export async function landSnapshot(
  store: ObjectStore,
  prefix: string,
  { text, records, at }: { readonly text: string; readonly records: number; readonly at: Date },
): Promise<LandedOrigin> {
  if (records === 0) return { files: [], records, nothing: 'empty' };
  const bytes = new TextEncoder().encode(text);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  if ((await latestHash(store, prefix)) === hash) return { files: [], records, nothing: 'unchanged' };
  const time = at.toISOString();
  const key = `${prefix}${time.slice(0, 10)}/${time.replace(/[-:.]/g, '')}-${hash}.json`;
  const { kind } = await store.write(key, bytes, { kind: 'absent' });
  if (kind === 'written') return { files: [{ key, bytes: bytes.length }], records };
  // Another has fetched the same in the same millisecond.
  if ((await store.head(key))?.size === bytes.length) return { files: [], records, nothing: 'unchanged' };
  throw new Unavailable(`${key} is being written by another: fetch again`);
}

/** Days are folders, so that what is looked at does not grow with all that ever was landed. */
async function latestHash(store: ObjectStore, prefix: string): Promise<string | undefined> {
  const days = (await store.folders(prefix)).filter((name) => DAY.test(name));
  for (const day of days.reverse()) {
    const names = await store.names(`${prefix}${day}/`);
    const latest = names.findLast((name) => SNAPSHOT.test(name));
    if (latest !== undefined) return SNAPSHOT.exec(latest)?.[1];
  }
  return undefined;
}

const SNAPSHOT = /^\d{8}T\d{9}Z-([0-9a-f]{16})\.json$/;
