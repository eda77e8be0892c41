import { createHash } from 'node:crypto';
import { appendFile, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type EtagLine, type KnownEtag, renderLine } from './etag-lines.ts';
import { mergeLines, openSorted, readLines, type SortedEtags, writeSorted } from './etag-sorted.ts';
import { compareKeys, RESERVED_NAME } from './keys.ts';

/**
 * Which content files of bronze had, by key and stamp: a log for each source, `<root>/.strata-etags/<hash of the folder>`,
 * to which lines are added. The last line of a key counts. A log that has become long is sorted into a file beside it
 * (`<hash>.sorted`), of which a part is in memory. Nothing depends on either but time: a line that is damaged, torn
 * or lost to another process means that a file is read once more, since a line counts only while its sum and the file's
 * stamp are right.
 */
export type EtagIndex = {
  /** The etag of the file if it was seen with this stamp. Keys that are asked for in order are found soonest. */
  find(key: string, stamp: string): Promise<string | undefined>;
  /** Remembers; written with the next `flush`. */
  put(key: string, stamp: string, etag: string): Promise<void>;
  /** Adds what is new to the logs. */
  flush(): Promise<void>;
  /** Tidies up after all files of a folder were listed: what is gone is forgotten when it is most of what is known. */
  compact(folder: string, listed: ListedFolder): Promise<void>;
};

export type ListedFolder = {
  readonly files: number;
  /** The files that are there, as long as they are few. */
  readonly present: ReadonlySet<string> | undefined;
};

type Shard = {
  readonly path: string;
  sorted: SortedEtags;
  /** What the log has, and what is not in it yet. */
  known: Map<string, KnownEtag>;
  /** Sorted files of what was more than could be held. */
  readonly parts: string[];
  lines: number;
  added: string[];
};

const SPARE_LINES = 1_000;
/** Files whose lines are in memory at once. */
export const MOST_HELD = 50_000;

/** `write` false: what is new is remembered for the life of the index alone. */
export function createEtagIndex(root: string, write: boolean, mostHeld = MOST_HELD): EtagIndex {
  const shards = new Map<string, Promise<Shard>>();
  const shardFor = (folder: string): Promise<Shard> => {
    const begun = shards.get(folder) ?? loadShard(root, folder, { write, mostHeld });
    shards.set(folder, begun);
    return begun;
  };
  return {
    async find(key, stamp) {
      const { known, sorted } = await shardFor(shardOf(key));
      const found = known.get(key) ?? (sorted.here(key) ?? { found: await sorted.find(key) }).found;
      return found?.stamp === stamp ? found.etag : undefined;
    },
    async put(key, stamp, etag) {
      const shard = await shardFor(shardOf(key));
      shard.known.set(key, { stamp, etag });
      shard.added.push(renderLine({ key, stamp, etag }));
      if (write && shard.known.size > mostHeld) await quietly(() => setApart(root, shard));
    },
    async flush() {
      if (!write) return;
      for (const shard of shards.values()) await append(root, await shard);
    },
    async compact(folder, { files, present }) {
      const shard = await shardFor(folder);
      if (shard.parts.length > 0) await quietly(() => sortAll(root, shard, files));
      if (present === undefined) return;
      for (const key of shard.known.keys()) if (!present.has(key)) shard.known.delete(key);
      if (write && shard.lines > 2 * shard.known.size + SPARE_LINES) await quietly(() => rewrite(shard));
    },
  };
}

/** The folder whose log has a key: `bronze/<pipeline>/<source>`, or what there is of it. */
export function shardOf(key: string): string {
  let end = -1;
  for (let part = 0; part < 3; part += 1) {
    const next = key.indexOf('/', end + 1);
    if (next < 0) break;
    end = next;
  }
  return key.slice(0, Math.max(end, 0));
}

type Limits = { readonly write: boolean; readonly mostHeld: number };

async function loadShard(root: string, folder: string, { write, mostHeld }: Limits): Promise<Shard> {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  const path = join(root, `${RESERVED_NAME}etags`, name);
  const shard: Shard = { path, sorted: openSorted(sortedOf(path)), known: new Map(), parts: [], lines: 0, added: [] };
  await quietly(async () => {
    for await (const { key, ...known } of readLines(path)) {
      shard.known.set(key, known);
      shard.lines += 1;
      if (write && shard.known.size > mostHeld) await setApart(root, shard);
    }
    if (shard.parts.length > 0) await sortAll(root, shard);
  });
  return shard;
}

function sortedOf(path: string): string {
  return `${path}.sorted`;
}

/** One write, so that lines of two processes stay apart; it begins a line of its own, whatever stood there before. */
async function append(root: string, shard: Shard): Promise<void> {
  const lines = shard.added.splice(0);
  if (lines.length === 0) return;
  shard.lines += lines.length + 1;
  await quietly(async () => {
    await mkdir(join(root, `${RESERVED_NAME}etags`), { recursive: true });
    await appendFile(shard.path, `\n${lines.join('\n')}\n`);
  });
}

/** Makes room: what is known is written to a sorted file of its own, until all are merged. */
async function setApart(root: string, shard: Shard): Promise<void> {
  const { known } = shard;
  shard.known = new Map();
  await append(root, shard);
  await mkdir(join(root, `${RESERVED_NAME}etags`), { recursive: true });
  const part = temporaryBeside(shard.path);
  await writeSorted(part, inOrder(known));
  shard.parts.push(part);
}

/** Merges all that is known of a folder into one sorted file, and begins the log anew. `files`: how many there are. */
async function sortAll(root: string, shard: Shard, files = Number.POSITIVE_INFINITY): Promise<void> {
  const parts = shard.parts.splice(0);
  const known = new Map(shard.known);
  const sorted = sortedOf(shard.path);
  const replace = async (lines: AsyncIterable<EtagLine>): Promise<number> => {
    const temporary = temporaryBeside(shard.path);
    try {
      const count = await writeSorted(temporary, lines);
      await rename(temporary, sorted);
      return count;
    } finally {
      await rm(temporary, { force: true });
    }
  };
  try {
    const count = await replace(mergeLines([...[sorted, ...parts].map(readLines), inOrder(known)]));
    if (count > 2 * files + SPARE_LINES) await replace(stillThere(root, readLines(sorted)));
    await rm(shard.path, { force: true });
    shard.sorted = openSorted(sorted);
    shard.lines = 0;
    for (const [key, one] of known) if (shard.known.get(key) === one) shard.known.delete(key);
  } finally {
    for (const path of parts) await rm(path, { force: true });
  }
}

async function* stillThere(root: string, lines: AsyncIterable<EtagLine>): AsyncGenerator<EtagLine> {
  for await (const line of lines) {
    const there = await lstat(join(root, line.key)).catch(() => undefined);
    if (there !== undefined) yield line;
  }
}

async function rewrite(shard: Shard): Promise<void> {
  const temporary = temporaryBeside(shard.path);
  try {
    await writeSorted(temporary, inOrder(shard.known));
    await rename(temporary, shard.path);
    shard.lines = shard.known.size;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function* inOrder(known: ReadonlyMap<string, KnownEtag>): AsyncGenerator<EtagLine> {
  const lines = [...known].map(([key, { stamp, etag }]): EtagLine => ({ key, stamp, etag }));
  yield* lines.sort((a, b) => compareKeys(a.key, b.key));
}

function temporaryBeside(path: string): string {
  return `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`;
}

/** An index that cannot be written costs time, never a run. */
async function quietly(act: () => Promise<void>): Promise<void> {
  await act().catch(() => {});
}
