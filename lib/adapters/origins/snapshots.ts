import { InvalidInput, ObjectNotFound } from '../../core/errors.ts';
import type { LandedOrigin, ObjectStore } from '../../ports.ts';

/** What was landed of an origin: a hash of the content, and up to where its cursor had come. Both stand in the name. */
export type Landed = { readonly file: string; readonly hash: string; readonly cursor: string | undefined };

/** What is to be landed: of which time, as which kind of file. */
export type Landing = {
  readonly hash: string;
  readonly at: Date;
  readonly cursor?: string;
  readonly ending: 'json' | 'parquet';
};

/**
 * From before an origin is asked until its file is there. Of fetches that overlap one gets a name: `land` writes below it. Another
 * that has the same writes the same file, in the place of one that has died; a third, which has something else, lands nothing,
 * since what it has was asked for before that was landed: rows after a cursor would be in both.
 */
export type Turn = {
  /** What was landed last. */
  readonly latest: Landed | undefined;
  land(landing: Landing, records: number, write: (key: string) => Promise<Written>): Promise<LandedOrigin>;
};

/** No function works for longer, and elsewhere a file that has a name is there at once. */
const AT_WORK_MS = 900_000;

/** Bytes of a file that was written; undefined where it is there. */
export type Written = number | undefined;

/** Files are below `bronze/<pipeline>/<source>/`; which is the last of them says `ops/<pipeline>/_origins/<source>/last.json`. */
export async function takeTurn(store: ObjectStore, prefix: string): Promise<Turn> {
  const pointer = `${prefix.replace(/^bronze\/([^/]+)\//, 'ops/$1/_origins/')}last.json`;
  const found = await readPointer(store, pointer);
  const is = found !== undefined && (await store.head(`${prefix}${found.file}`)) !== undefined;
  const latest = is ? found : await latestOf(store, prefix);
  return {
    latest,
    async land(landing, records, write) {
      if (latest?.hash === landing.hash) return { files: [], records, nothing: 'unchanged' };
      const file = await chooseFile();
      if (file === undefined) return { files: [], records, nothing: 'overtaken' };
      const key = `${prefix}${file}`;
      const bytes = await write(key);
      return bytes === undefined ? { files: [], records, nothing: 'unchanged' } : { files: [{ key, bytes }], records };

      async function chooseFile(): Promise<string | undefined> {
        // Whoever chose that name has died, or is still about to write.
        if (found?.hash === landing.hash) return found.file;
        const isPending = found !== undefined && !is;
        if (isPending && Math.abs(landing.at.getTime() - begunAt(found)) <= AT_WORK_MS) return undefined;
        const own = nameOf(landing);
        const condition =
          found === undefined ? ({ kind: 'absent' } as const) : ({ kind: 'match', etag: found.etag } as const);
        const outcome = await store.write(
          pointer,
          new TextEncoder().encode(`${JSON.stringify({ file: own })}\n`),
          condition,
        );
        if (outcome.kind === 'written') return own;
        const other = await readPointer(store, pointer);
        return other?.hash === landing.hash ? other.file : undefined;
      }
    },
  };
}

function nameOf({ hash, at, cursor, ending }: Landing): string {
  const time = at.toISOString();
  const upTo = cursor === undefined ? '' : `-${Buffer.from(cursor).toString('base64url')}`;
  return `${time.slice(0, 10)}/${time.replace(/[-:.]/g, '')}-${hash}${upTo}.${ending}`;
}

/** When the fetch began whose file this is. */
function begunAt({ file }: Landed): number {
  const [, day = '', ...time] = /\/(\d{8})T(\d\d)(\d\d)(\d\d)(\d{3})Z/.exec(file) ?? [];
  const [hours = '', minutes = '', seconds = '', ms = ''] = time;
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${hours}:${minutes}:${seconds}.${ms}Z`);
}

const NAME = /^\d{8}T\d{9}Z-([0-9a-f]{16})(?:-([\w-]+))?\.(?:json|parquet)$/;

function parseName(file: string): Landed | undefined {
  const [, hash, cursor] = NAME.exec(file.slice(file.indexOf('/') + 1)) ?? [];
  if (hash === undefined) return undefined;
  return { file, hash, cursor: cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString() };
}

async function readPointer(store: ObjectStore, key: string): Promise<(Landed & { readonly etag: string }) | undefined> {
  try {
    const { bytes, etag } = await store.read(key);
    const landed = parsePointer(new TextDecoder().decode(bytes));
    if (landed !== undefined) return { ...landed, etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
  throw new InvalidInput(`${key} does not say which file was fetched last: remove it, and fetch again`);
}

function parsePointer(text: string): Landed | undefined {
  try {
    const said: unknown = JSON.parse(text);
    const file = said !== null && typeof said === 'object' && 'file' in said ? said.file : undefined;
    return typeof file === 'string' ? parseName(file) : undefined;
  } catch {
    return undefined;
  }
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The last by name. Days are folders, so that what is looked at does not grow with all that ever was landed. */
async function latestOf(store: ObjectStore, prefix: string): Promise<Landed | undefined> {
  const days = (await store.folders(prefix)).filter((name) => DAY.test(name));
  for (const day of days.toReversed()) {
    const names = await store.names(`${prefix}${day}/`);
    const landed = names.map((name) => parseName(`${day}/${name}`)).findLast((one) => one !== undefined);
    if (landed !== undefined) return landed;
  }
  return undefined;
}
