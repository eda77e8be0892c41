import { InvalidInput } from '../../core/errors.ts';
import type { ObjectStore } from '../../ports.ts';

/** Offsets of a partition, both ends among them. */
export type OffsetRange = { readonly first: bigint; readonly last: bigint };

const NAME = /^(0|[1-9]\d{0,18})-(0|[1-9]\d{0,18})\.jsonl\.zst$/;

/** The file of a range: its name is all that says what was landed. */
export function rangeName({ first, last }: OffsetRange): string {
  return `${first}-${last}.jsonl.zst`;
}

export function parseRangeName(name: string): OffsetRange | undefined {
  const [, first, last] = NAME.exec(name) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const range = { first: BigInt(first), last: BigInt(last) };
  return range.last < range.first ? undefined : range;
}

/**
 * The offset after all that have landed below a prefix that ends in `/`; undefined for none. Throws InvalidInput where files leave offsets
 * out or have some twice. Other names are passed over.
 */
export async function offsetAfter(store: ObjectStore, prefix: string): Promise<bigint | undefined> {
  const ranges: OffsetRange[] = [];
  for (const name of await store.names(prefix)) {
    const range = parseRangeName(name);
    if (range !== undefined) ranges.push(range);
  }
  ranges.sort((a, b) => (a.first < b.first ? -1 : 1));
  for (const [at, { first }] of ranges.entries()) {
    const before = ranges[at - 1];
    if (before === undefined || first === before.last + 1n) continue;
    const [what, todo] =
      first > before.last
        ? [
            `have no offsets ${before.last + 1n} to ${first - 1n}`,
            'put what is missing back, or move the later ones away',
          ]
        : [`have offset ${first} twice`, 'move one of the two away'];
    throw new InvalidInput(
      `files of ${prefix} ${what}, between ${rangeName(before)} and ${rangeName(ranges[at] ?? before)}: expected each offset once; ${todo}`,
    );
  }
  const last = ranges.at(-1)?.last;
  return last === undefined ? undefined : last + 1n;
}
