/** Lines of a partition that are not landed yet, with where a file may end. */
export type LineBuffer = {
  readonly size: number;
  /** Of all lines. */
  readonly bytes: number;
  /** The offset after all that is held; undefined while nothing is. */
  readonly next: bigint | undefined;
  /** `next`: after all that was looked at, which may be beyond the last record. */
  add(lines: readonly string[], offsets: readonly { readonly offset: bigint }[], next: bigint, at: number): void;
  /** Takes the lines of a file that is full or old enough, or with `whole` any that there are. */
  cut(at: number, whole: boolean): { readonly last: bigint; readonly lines: readonly string[] } | undefined;
  clear(): void;
};

type Limits = { readonly records: number; readonly bytes: number; readonly ageMs: number };
type Held = { readonly line: string; readonly bytes: number; readonly offset: bigint; readonly at: number };

export function createBuffer(limits: Limits): LineBuffer {
  let held: Held[] = [];
  let [bytes, next]: [number, bigint | undefined] = [0, undefined];
  return {
    get size() {
      return held.length;
    },
    get bytes() {
      return bytes;
    },
    get next() {
      return next;
    },
    add(lines, offsets, after, at) {
      lines.forEach((line, index) => {
        const one = { line, bytes: Buffer.byteLength(line) + 1, offset: offsets[index]?.offset ?? after - 1n, at };
        bytes += one.bytes;
        held.push(one);
      });
      next = after;
    },
    cut(at, whole) {
      const count = fullAt(held, limits);
      const old = at - (held[0]?.at ?? at) >= limits.ageMs;
      if (held.length === 0 || (count === undefined && !old && !whole)) return undefined;
      const lines = held.slice(0, count);
      held = count === undefined ? [] : held.slice(count);
      bytes -= lines.reduce((sum, one) => sum + one.bytes, 0);
      // What comes after the last record and is none belongs to the last file.
      const last = held.length === 0 ? (next ?? 0n) - 1n : (lines.at(-1)?.offset ?? 0n);
      return { last, lines: lines.map(({ line }) => line) };
    },
    clear() {
      held = [];
      [bytes, next] = [0, undefined];
    },
  };
}

/** How many lines fill a file; undefined where they do not. A line that is larger than a file is one by itself. */
function fullAt(held: readonly Held[], { records, bytes }: Limits): number | undefined {
  let sum = 0;
  for (const [index, one] of held.entries()) {
    sum += one.bytes;
    if (sum > bytes && index > 0) return index;
    if (index + 1 === records || sum >= bytes) return index + 1;
  }
  return undefined;
}
