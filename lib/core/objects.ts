/** Where objects lie: the first word of every key. */
export const ZONES = ['bronze', 'silver', 'gold', 'ops'] as const;
export type Zone = (typeof ZONES)[number];

/** The first word of the keys of what is exported: it lies in the bucket of gold, as none of its tables. */
export const EXPORTS = 'exports';
/** What a key may begin with. */
export type Area = Zone | typeof EXPORTS;

/** The zone whose bucket holds what lies in an area. */
export function zoneOf(area: Area): Zone {
  return area === EXPORTS ? 'gold' : area;
}

/** An object, or one of the versions that a store keeps of it. */
export type ObjectVersion = { readonly key: string; readonly version?: string };

/** An object as it was when it had that etag, where there is one. */
export type PlannedObject = ObjectVersion & { readonly etag?: string };

/** What has become of an object since. */
export type ObjectChange = 'replaced' | 'removed' | 'unreadable';

/** Tells versions of one key apart; no key holds a NUL. A key without a version is its own name. */
export function objectName({ key, version }: ObjectVersion): string {
  return version === undefined ? key : `${key}\0${version}`;
}

/** A name in a store that is no object, or one that cannot be read, and why. */
export type SkippedName = { readonly name: string; readonly reason: string };

/** Names that were skipped: how many, and the first of them. */
export type Skipped = { readonly count: number; readonly names: readonly SkippedName[] };

export const NONE_SKIPPED: Skipped = { count: 0, names: [] };

/** So many that people see what is wrong, so few that a state's output holds them. */
const MOST_NAMED = 10;

export function addSkipped({ count, names }: Skipped, name: SkippedName): Skipped {
  return { count: count + 1, names: names.length < MOST_NAMED ? [...names, name] : names };
}

/** Bytes from `start` up to before `end`. */
export type ByteRange = { readonly start: number; readonly end: number };

/** Bytes of an object that are needed, in a file of their own at the places that they have in the object. */
export type ObjectParts = {
  readonly key: string;
  /** Of the object that they are of. */
  readonly etag?: string;
  /** In order, and apart. */
  readonly ranges: readonly ByteRange[];
  /** The last bytes of a copy, which end it: those of the object, or others that stand for them. */
  readonly end: { readonly start: number; readonly bytes: Uint8Array };
};
