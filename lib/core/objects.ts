/** Where objects lie: the first word of every key. */
export const ZONES = ['bronze', 'silver', 'gold', 'ops'] as const;
export type Zone = (typeof ZONES)[number];

/** An object, or one of the versions that a store keeps of it. */
export type ObjectVersion = { readonly key: string; readonly version?: string };

/** Tells versions of one key apart; no key holds a NUL. A key without a version is its own name. */
export function objectName({ key, version }: ObjectVersion): string {
  return version === undefined ? key : `${key}\0${version}`;
}
