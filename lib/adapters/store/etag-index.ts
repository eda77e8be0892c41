import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { RESERVED_NAME } from './keys.ts';

/**
 * Which content files of bronze had, by key and stamp: a log for each source, `<root>/.strata-etags/<hash of the folder>`,
 * to which lines are added. The last line of a key counts. Nothing depends on it but time: a line that is damaged, torn
 * or lost to another process means that a file is read once more, since a line counts only while its sum and the file's
 * stamp are right.
 */
export type EtagIndex = {
  /** Reads the log that has a key; until then, nothing of it is known. */
  open(key: string): Promise<void>;
  /** The etag of the file if it was seen with this stamp. */
  get(key: string, stamp: string): string | undefined;
  /** Remembers; written with the next `flush`. */
  put(key: string, stamp: string, etag: string): void;
  /** Adds what is new to the logs. */
  flush(): Promise<void>;
  /** Writes the log of a folder anew, less the files that are gone, when most of its lines are of no use. */
  compact(folder: string, present: ReadonlySet<string>): Promise<void>;
};

type Known = { readonly stamp: string; readonly etag: string };
type Shard = { readonly path: string; readonly known: Map<string, Known>; lines: number; added: string[] };

const SPARE_LINES = 1_000;

/** `write` false: what is new is remembered for the life of the index alone. */
export function createEtagIndex(root: string, write: boolean): EtagIndex {
  const opening = new Map<string, Promise<Shard>>();
  const loaded = new Map<string, Shard>();
  const load = async (folder: string): Promise<Shard> => {
    const begun = opening.get(folder) ?? loadShard(root, folder);
    opening.set(folder, begun);
    const shard = await begun;
    loaded.set(folder, shard);
    return shard;
  };
  return {
    async open(key) {
      const folder = shardOf(key);
      if (!loaded.has(folder)) await load(folder);
    },
    get(key, stamp) {
      const known = loaded.get(shardOf(key))?.known.get(key);
      return known?.stamp === stamp ? known.etag : undefined;
    },
    put(key, stamp, etag) {
      const shard = loaded.get(shardOf(key));
      if (shard === undefined) return;
      shard.known.set(key, { stamp, etag });
      shard.added.push(renderLine(key, { stamp, etag }));
    },
    async flush() {
      if (!write) return;
      for (const shard of loaded.values()) await append(root, shard);
    },
    async compact(folder, present) {
      const shard = await load(folder);
      for (const key of shard.known.keys()) if (!present.has(key)) shard.known.delete(key);
      if (write && shard.lines > 2 * shard.known.size + SPARE_LINES) await rewrite(shard);
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

async function loadShard(root: string, folder: string): Promise<Shard> {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
  const path = join(root, `${RESERVED_NAME}etags`, name);
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n');
  const known = new Map<string, Known>();
  for (const line of lines) {
    const entry = parseLine(line);
    if (entry !== undefined) known.set(entry.key, entry);
  }
  return { path, known, lines: lines.length, added: [] };
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

async function rewrite(shard: Shard): Promise<void> {
  const temporary = `${shard.path}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  const lines = [...shard.known].map(([key, known]) => renderLine(key, known));
  await quietly(async () => {
    try {
      await writeFile(temporary, `${lines.join('\n')}\n`, { flag: 'wx' });
      await rename(temporary, shard.path);
      shard.lines = lines.length;
    } finally {
      await unlink(temporary).catch(() => {});
    }
  });
}

/** An index that cannot be written costs time, never a run. */
async function quietly(act: () => Promise<void>): Promise<void> {
  await act().catch(() => {});
}

function renderLine(key: string, { stamp, etag }: Known): string {
  const text = `${stamp} ${etag} ${JSON.stringify(key)}`;
  return `${sumOf(text)} ${text}`;
}

function parseLine(line: string): (Known & { readonly key: string }) | undefined {
  const [sum, stamp, etag] = line.split(' ', 3);
  if (sum === undefined || stamp === undefined || etag === undefined) return undefined;
  if (sumOf(line.slice(sum.length + 1)) !== sum) return undefined;
  const key = JSON.parse(line.slice(sum.length + stamp.length + etag.length + 3)) as string;
  return { key, stamp, etag };
}

function sumOf(text: string): string {
  return crc32(text).toString(16);
}
