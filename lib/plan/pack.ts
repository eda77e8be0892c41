/**
 * Items in their order, joined to groups of about `limit`: an item that does not fit into what is left begins the next
 * group, and none is split, so a group of one may weigh more. Every list of units is packed by this.
 */
export function packInOrder<Item>(
  items: readonly Item[],
  limit: number,
  weigh: (item: Item) => number,
): readonly (readonly Item[])[] {
  const groups: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const weight = weigh(item);
    const open = groups.at(-1);
    if (open !== undefined && weight <= room) {
      open.push(item);
      room -= weight;
    } else {
      groups.push([item]);
      room = limit - weight;
    }
  }
  return groups;
}

/** Steps of halving after which groups are as even as they get: what is left is a thousandth of the limit. */
const EVEN_ENOUGH = 10;

/** As few groups as packInOrder makes of them, none larger than its largest has to be. */
export function packEvenly<Item>(
  items: readonly Item[],
  limit: number,
  weigh: (item: Item) => number,
): readonly (readonly Item[])[] {
  let packed = packInOrder(items, limit, weigh);
  const few = packed.length;
  let [low, high] = [0, limit];
  for (let step = 0; step < EVEN_ENOUGH && few > 1; step += 1) {
    const middle = (low + high) / 2;
    const tried = packInOrder(items, middle, weigh);
    if (tried.length > few) low = middle;
    else [high, packed] = [middle, tried];
  }
  return packed;
}

/** Of files of more bytes than `most` some that lie evenly among them, each whole; the smallest where each alone has more. */
export function pickEvenly<T extends { readonly bytes: number }>(files: readonly T[], most: number): readonly T[] {
  const all = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (all <= most) return files;
  let room = 0;
  const picked = files.filter(({ bytes }) => {
    room += (bytes / all) * most;
    if (room < bytes) return false;
    room -= bytes;
    return true;
  });
  return picked.length > 0 ? picked : files.toSorted((a, b) => a.bytes - b.bytes).slice(0, 1);
}
