import { createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type EtagLine, type KnownEtag, parseLine, renderLine } from './etag-lines.ts';
import { compareKeys } from './keys.ts';

/** Lines of an index of etags in the order of their keys, each key once: too many to be held in memory. */
export type SortedEtags = {
  /** What the file says of a key. Keys that are asked for in order are found where the last one was, or right after it. */
  find(key: string): Promise<KnownEtag | undefined>;
  /** The same without waiting, where that part of the file is here already. */
  here(key: string): { readonly found: KnownEtag | undefined } | undefined;
};

/** Bytes of a file that are here at once. */
const BLOCK_BYTES = 256 * 1024;
/** A key is a path, of at most 4,096 bytes, in which JSON may need six for one. */
const LONGEST_LINE = 32 * 1024;

/** Part of a file: whole lines up to a byte, and from which key to which they tell what there is; to the last of all: undefined. */
type Block = {
  readonly to: number;
  readonly first: string;
  readonly last: string | undefined;
  readonly lines: ReadonlyMap<string, KnownEtag>;
};

/** Reads a file by parts. One that is not there, has been replaced meanwhile or is damaged knows less. */
export function openSorted(path: string): SortedEtags {
  let block: Block | undefined;
  const here: SortedEtags['here'] = (key) =>
    block !== undefined && tells(block, key) ? { found: block.lines.get(key) } : undefined;
  return {
    here,
    async find(key) {
      const near = here(key);
      if (near !== undefined) return near.found;
      const file = await open(path).catch(() => undefined);
      if (file === undefined) {
        block = NOTHING;
        return undefined;
      }
      try {
        block = await blockOf(file, key, block);
        return block?.lines.get(key);
      } catch {
        return undefined;
      } finally {
        await file.close();
      }
    },
  };
}

/** Of a file that is not there. */
const NOTHING: Block = { to: 0, first: '', last: undefined, lines: new Map() };

function tells({ first, last }: Pick<Block, 'first' | 'last'>, key: string): boolean {
  return compareKeys(key, first) >= 0 && (last === undefined || compareKeys(key, last) <= 0);
}

async function blockOf(file: FileHandle, key: string, before: Block | undefined): Promise<Block | undefined> {
  if (before?.last !== undefined && compareKeys(key, before.last) > 0) {
    const next = await readBlock(file, before.to, before.last);
    if (next !== undefined && tells(next, key)) return next;
  }
  const place = await placeOf(file, key);
  return readBlock(file, place, place === 0 ? '' : undefined);
}

/** Where a line begins before which no line has the key; it is at most a block away from where the key would be. */
async function placeOf(file: FileHandle, key: string): Promise<number> {
  let [from, to] = [0, (await file.stat()).size];
  while (to - from > BLOCK_BYTES / 2) {
    const middle = Math.floor((from + to) / 2);
    const found = await lineAfter(file, middle);
    if (found !== undefined && found.at < to && compareKeys(found.key, key) <= 0) from = found.at;
    else to = middle;
  }
  return from;
}

async function lineAfter(
  file: FileHandle,
  at: number,
): Promise<{ readonly at: number; readonly key: string } | undefined> {
  const bytes = await readBytes(file, at, 2 * LONGEST_LINE);
  for (let start = bytes.indexOf(NEWLINE) + 1; start > 0; ) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return undefined;
    const line = parseLine(bytes.toString('utf8', start, end));
    if (line !== undefined) return { at: at + start, key: line.key };
    start = end + 1;
  }
  return undefined;
}

const NEWLINE = 0x0a;

/** `after`: the key of the line before, from which on a block tells what there is. */
async function readBlock(file: FileHandle, at: number, after: string | undefined): Promise<Block | undefined> {
  const bytes = await readBytes(file, at, BLOCK_BYTES);
  const end = bytes.lastIndexOf(NEWLINE);
  const lines = new Map<string, KnownEtag>();
  for (const text of bytes.toString('utf8', 0, Math.max(end, 0)).split('\n')) {
    const line = parseLine(text);
    if (line !== undefined) lines.set(line.key, line);
  }
  const keys = [...lines.keys()];
  const first = after ?? keys[0];
  if (first === undefined) return undefined;
  return { to: at + end + 1, first, last: bytes.length < BLOCK_BYTES ? undefined : (keys.at(-1) ?? first), lines };
}

async function readBytes(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}

/** Writes lines, which come in the order of their keys; how many they were. */
export async function writeSorted(path: string, lines: AsyncIterable<EtagLine>): Promise<number> {
  let count = 0;
  const chunks = async function* (): AsyncGenerator<string> {
    let texts: string[] = [];
    for await (const line of lines) {
      texts.push(renderLine(line));
      count += 1;
      if (texts.length < 1_000) continue;
      yield `${texts.join('\n')}\n`;
      texts = [];
    }
    if (texts.length > 0) yield `${texts.join('\n')}\n`;
  };
  await pipeline(Readable.from(chunks()), createWriteStream(path, { flags: 'wx' }));
  return count;
}

/** All lines of a file that are whole, in the order in which they stand; none where there is no file. */
export async function* readLines(path: string): AsyncGenerator<EtagLine> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return;
  try {
    for (let at = 0; ; ) {
      const bytes = await readBytes(file, at, BLOCK_BYTES);
      const last = bytes.lastIndexOf(NEWLINE);
      // A last line may lack its end, and what has none for so long is none.
      const end = last < 0 || bytes.length < BLOCK_BYTES ? bytes.length : last + 1;
      for (const text of bytes.toString('utf8', 0, end).split('\n')) {
        const line = parseLine(text);
        if (line !== undefined) yield line;
      }
      if (bytes.length < BLOCK_BYTES) return;
      at += end;
    }
  } finally {
    await file.close();
  }
}

/** Lines of several files in the order of their keys; of a key that several have, the line of the last of them. */
export async function* mergeLines(sources: readonly AsyncIterable<EtagLine>[]): AsyncGenerator<EtagLine> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const heads = await Promise.all(iterators.map((one) => nextOf(one)));
  for (;;) {
    let least: EtagLine | undefined;
    for (const head of heads)
      if (head !== undefined && (least === undefined || compareKeys(head.key, least.key) <= 0)) least = head;
    if (least === undefined) return;
    yield least;
    for (const [at, head] of heads.entries()) {
      const iterator = iterators[at];
      if (head?.key === least.key && iterator !== undefined) heads[at] = await nextOf(iterator);
    }
  }
}

async function nextOf(iterator: AsyncIterator<EtagLine>): Promise<EtagLine | undefined> {
  const next = await iterator.next();
  return next.done === true ? undefined : next.value;
}
